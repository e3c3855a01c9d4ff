#include "tests/support/engine_under_test.hpp"

#include <atomic>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/manual_clock.hpp"
#include "base/random.hpp"
#include "broker/blocking.hpp"
#include "engine/engine.hpp"
#include "storage/faulty_store.hpp"
#include "storage/forgetful_store.hpp"
#include "storage/rocks_store.hpp"
#include "storage/temporary_directory.hpp"

namespace millrace::support {
namespace {

/// Every call fails once the store is cut off: to the engine the world ends, whatever it was doing.
class CutOffStore final : public storage::Store {
 public:
  CutOffStore(std::shared_ptr<storage::Store> target, std::shared_ptr<const std::atomic<bool>> cut)
      : target_(std::move(target)), cut_(std::move(cut)) {}

  Result<void> commit(const storage::Write& write, storage::Sync sync) override {
    return *cut_ ? Result<void>(gone()) : target_->commit(write, sync);
  }
  Result<void> write_derived(const storage::Write& write) override {
    return *cut_ ? Result<void>(gone()) : target_->write_derived(write);
  }
  Result<void> flush_derived() override { return *cut_ ? Result<void>(gone()) : target_->flush_derived(); }
  Result<void> drop_range(storage::Family family, std::string_view begin, std::string_view end) override {
    return *cut_ ? Result<void>(gone()) : target_->drop_range(family, begin, end);
  }
  Result<std::optional<std::string>> get(storage::Family family, std::string_view key) const override {
    return target_->get(family, key);
  }
  Result<void> get_many(storage::Family family, std::span<const std::string_view> keys,
                        std::vector<std::optional<std::string>>& values) const override {
    return target_->get_many(family, keys, values);
  }
  Result<void> scan(storage::Family family, std::string_view begin, std::string_view end,
                    const storage::Visitor& visit) const override {
    return target_->scan(family, begin, end, visit);
  }
  Result<void> scan_back(storage::Family family, std::string_view begin, std::string_view end,
                         const storage::Visitor& visit) const override {
    return target_->scan_back(family, begin, end, visit);
  }
  Result<void> verify() const override { return target_->verify(); }
  storage::StoreHealth health() const override { return target_->health(); }
  const storage::Recovery& recovery() const override { return target_->recovery(); }

 private:
  static Error gone() { return {ErrorCode::unavailable, "the test cut the store off"}; }

  std::shared_ptr<storage::Store> target_;
  std::shared_ptr<const std::atomic<bool>> cut_;
};

/// Where an engine's store lives between two lives of the engine.
class Medium {
 public:
  virtual ~Medium() = default;
  virtual std::shared_ptr<storage::Store> open() = 0;
  /// After the engine is gone: what a loss of power does.
  virtual void lose_power() = 0;
};

class ForgetfulMedium final : public Medium {
 public:
  std::shared_ptr<storage::Store> open() override { return store_; }
  void lose_power() override { store_->crash(random_, storage::Crash::power, storage::Loss::everything); }

 private:
  std::shared_ptr<storage::ForgetfulStore> store_ = std::make_shared<storage::ForgetfulStore>();
  Random random_{1};
};

class RocksMedium final : public Medium {
 public:
  std::shared_ptr<storage::Store> open() override {
    storage::RocksOptions options;
    options.derived_memory_bytes = 8 * storage::mebibyte;
    options.segment_bytes = storage::mebibyte;
    options.spare_bytes = 4 * storage::mebibyte;
    return storage::open_rocks_store(directory_.path() / "store", options).value();
  }
  void lose_power() override {}

 private:
  storage::TemporaryDirectory directory_;
};

class EngineUnderTest final : public BrokerUnderTest {
 public:
  EngineUnderTest(std::unique_ptr<Medium> medium, engine::EngineOptions options)
      : medium_(std::move(medium)), options_(std::move(options)) {
    options_.clock = clock_;
    options_.seed = 20'261'122;
    open();
  }
  ~EngineUnderTest() override { engine_->close(); }

  Broker& broker() override { return *engine_; }

  void advance(Milliseconds by) override {
    clock_->advance(by);
    settle_down();
  }

  void step_wall(Milliseconds by) override {
    clock_->step_wall(by);
    settle_down();
  }

  void break_store() override { *cut_ = true; }

  void reopen(Stop stop) override {
    if (stop == Stop::unclean) *cut_ = true;
    engine_->close();
    engine_.reset();
    if (stop == Stop::unclean) medium_->lose_power();
    open();
  }

 private:
  void open() {
    cut_ = std::make_shared<std::atomic<bool>>(false);
    const auto open_store = [medium = medium_.get(), cut = cut_]() -> Result<std::unique_ptr<storage::Store>> {
      if (*cut) return Error{ErrorCode::unavailable, "the test cut the store off"};
      return std::unique_ptr<storage::Store>(std::make_unique<CutOffStore>(medium->open(), cut));
    };
    engine_ = engine::open_engine_over(open_store, options_).value();
  }

  /// Each answer belongs to a commit group of its own, and each group ends with what time asks for.
  void settle_down() {
    for (int group = 0; group < 3; ++group)
      blocking<Stats>([&](auto done) { engine_->stats(std::move(done)); }).value();
  }

  std::unique_ptr<Medium> medium_;
  engine::EngineOptions options_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<std::atomic<bool>> cut_;
  std::shared_ptr<engine::Engine> engine_;
};

template <class MediumKind>
BrokerKind kind(std::string name, engine::EngineOptions options = {}) {
  return {std::move(name), [options](const BrokerSetup& setup) -> std::unique_ptr<BrokerUnderTest> {
            auto with_setup = options;
            with_setup.queue_tasks_max = setup.queue_tasks_max.value_or(0);
            with_setup.queue_bytes_max = setup.queue_bytes_max.value_or(0);
            return std::make_unique<EngineUnderTest>(std::make_unique<MediumKind>(), std::move(with_setup));
          }};
}

}  // namespace

BrokerKind engine_in_memory() { return kind<ForgetfulMedium>("EngineInMemory"); }

BrokerKind engine_on_rocksdb() { return kind<RocksMedium>("EngineOnRocksDb"); }

BrokerKind engine_short_of_memory() {
  engine::EngineOptions options;
  options.hot_bytes = std::size_t{1} << 20;
  options.checkpoint_bytes = std::size_t{16} << 10;
  return kind<ForgetfulMedium>("EngineShortOfMemory", std::move(options));
}

}  // namespace millrace::support
