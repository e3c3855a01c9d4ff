#include "tests/simulation/world.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <type_traits>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "codec/content.hpp"
#include "codec/token_sealer.hpp"
#include "engine/snapshot.hpp"

namespace millrace::simulation {

using storage::Family;

World::World(std::uint64_t seed, engine::CoreOptions options, Knobs knobs)
    : random_(seed), options_(options), knobs_(knobs), store_(std::make_unique<storage::ForgetfulStore>()) {
  open();
}

void World::open() {
  core_ = std::make_unique<engine::Core>(
      options_, TokenSealer::Secret{1, 2, 3}, random_.next(),
      [this](const std::string& key) -> std::optional<engine::Alias> {
        auto found = store_->get(Family::aliases, key);
        return found && *found ? engine::decode_alias(**found) : std::nullopt;
      },
      registry_);
  const auto recovered = engine::recover(*store_, core_->state(), core_->checkpoint());
  if (!recovered) throw Failure(recovered.error());
  engine_base_ = std::max(core_->state().now.engine, wall_) - steady_;
  core_->opened(now());
  core_->committed(core_->state().group);
}

void World::submit(std::unique_ptr<engine::Command> command) {
  core_->open(now());
  core_->execute(std::move(command));
}

void World::tick() {
  core_->open(now());
  core_->tick();
  for (auto& job : core_->take_jobs()) jobs_.push_back(std::move(job));
}

void World::seal() {
  if (!core_->has_work_to_seal()) return;
  groups_.push_back(core_->seal());
  if (knobs_.reply_early) {
    for (auto& answer : groups_.back().replies) answer(nullptr);
    groups_.back().replies.clear();
  }
  if (groups_.back().number != 0) trace_ = trace_ * 1099511628211ULL + crc32c(groups_.back().record);
}

void World::write_group(bool crash_before_replies) {
  if (groups_.empty()) return;
  auto group = std::move(groups_.front());
  groups_.pop_front();
  const auto reply = [&] {
    for (auto& answer : group.replies) answer(nullptr);
  };
  if (group.number != 0) {
    storage::Write write;
    write.put(Family::journal, group.key, group.record);
    const auto written = store_->commit(write, knobs_.skip_sync ? storage::Sync::none : storage::Sync::disk);
    MILLRACE_ASSERT(written);
    audit_.read(group.key, group.record);
    core_->committed(group.number);
  }
  if (crash_before_replies) return crash(storage::Crash::process);
  reply();
}

void World::run_job() {
  if (jobs_.empty()) return;
  const auto job = std::move(jobs_.front());
  jobs_.pop_front();
  auto result = engine::execute(*store_, job);
  if (const auto* const error = std::get_if<Error>(&result)) throw Failure(*error);
  core_->job_done(std::move(result));
}

// No more than that: a core that is short of memory would give the block away again before anybody looks at it.
void World::load() {
  tick();
  while (!jobs_.empty()) run_job();
}

void World::settle_down() {
  for (;;) {
    tick();
    seal();
    // A look at the same time that found nothing to do finds nothing the next time either.
    if (groups_.empty() && jobs_.empty() && !core_->busy()) return;
    while (!groups_.empty()) write_group();
    while (!jobs_.empty()) run_job();
  }
}

void World::crash(storage::Crash kind) {
  ++crashes_;
  groups_.clear();
  jobs_.clear();
  core_.reset();
  store_->crash(random_, kind);
  open();
}

namespace {

/// Appends words and numbers, each with a space behind it.
template <class... Words>
void append(std::string& out, const Words&... words) {
  const auto one = [&out](const auto& word) {
    if constexpr (std::is_integral_v<std::decay_t<decltype(word)>>) {
      char digits[24];
      out.append(digits, std::to_chars(std::begin(digits), std::end(digits), +word).ptr);
    } else {
      out.append(word);
    }
    out.push_back(' ');
  };
  (one(words), ...);
}

void append_task(std::string& out, engine::Seq seq, const engine::TaskSlot& slot) {
  append(out, seq, to_string(slot.status()), "line", slot.line, "attempt", slot.attempt, "fence", slot.fence, "retries",
         slot.retry_count, "crashes", slot.crashes, "refunds", slot.refunds, "defers", slot.defers, "incarnation",
         slot.incarnation, "due", slot.due, "ready", slot.ready_at, "ended", slot.ended_at, "started",
         int{slot.started}, "cancel", int{slot.cancel_requested}, "content", crc32c(slot.content));
  if (slot.detail && (!slot.detail->history.empty() || slot.detail->error != TaskError{}))
    append(out, "history", slot.detail->history.size(), "error", slot.detail->error.type);
  out.push_back('\n');
}

}  // namespace

std::string digest(World& world) {
  auto& state = world.state();
  std::string out;
  append(out, "next", state.next_seq, "fence", state.last_fence, "removed", state.removed_total, "\n");
  for (std::uint32_t i = 0; i < state.queues.size(); ++i) {
    const auto& queue = state.queues[i];
    append(out, "queue", state.queue_names.text(i), "paused", int{queue.paused}, "bytes", queue.payload_bytes);
    for (const auto count : queue.by_status) append(out, count);
    out.push_back('\n');
  }
  for (std::uint64_t number = 0;; ++number) {
    auto* const entry = state.blocks.at_or_after(number);
    if (entry == nullptr) break;
    while (!world.core().need(number)) world.load();
    for (std::size_t i = 0; i < engine::slots_per_block; ++i)
      if (const auto& slot = entry->resident->slots[i]; slot.exists())
        append_task(out, number * engine::slots_per_block + i, slot);
  }
  return out;
}

namespace {

std::string unused_image(engine::State& state, std::string_view key, std::set<std::uint64_t>& chunks) {
  std::uint64_t number = 0;
  std::uint64_t version = 0;
  if (engine::read_chunk_key(key, number, version))
    return chunks.insert(number).second ? "" : "two records of chunk " + std::to_string(number);
  number = read_key(key.substr(1));
  version = read_key(key.substr(9));
  const auto* const entry = state.blocks.find(number);
  if (entry != nullptr && key == engine::block_key(number, entry->stored.version)) return {};
  return "image " + std::to_string(version) + " of block " + std::to_string(number);
}

}  // namespace

std::string leftover(World& world) {
  for (int i = 0; i < 2; ++i) {  // the second one erases the records of chunks that the first found empty
    world.core().request_checkpoint();
    world.settle_down();
  }
  auto& state = world.state();
  std::string found;
  std::set<std::uint64_t> chunks;
  static_cast<void>(world.store().scan(Family::blocks, {}, {}, [&](std::string_view key, std::string_view) {
    return (found = unused_image(state, key, chunks)).empty();
  }));
  if (!found.empty()) return found;
  static_cast<void>(world.store().scan(Family::blobs, {}, {}, [&](std::string_view key, std::string_view) {
    const auto seq = read_key(key);
    const auto* const entry = state.blocks.find(engine::block_of(seq));
    const bool used = entry != nullptr && (!entry->resident || state.peek(seq) != nullptr);
    if (!used) found = "a blob of task " + std::to_string(seq);
    return used;
  }));
  return found;
}

}  // namespace millrace::simulation
