#include "tests/faults/scenario.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <stdexcept>
#include <unistd.h>

#include "storage/rocks_store.hpp"

namespace millrace::faults {

namespace {

using namespace std::chrono_literals;

constexpr int tasks_per_round = Facts::tasks_per_round;

/// One of each round is so large that it stands beside its block.
std::size_t payload_bytes(std::size_t task) { return task % tasks_per_round == 1 ? 9'000 : 40; }

/// Waits for one answer; that none comes is a failure as well.
template <class T, class Call>
Result<T> answer_of(Call&& call) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto answer = promise->get_future();
  call(Completion<T>([promise](Result<T> result) { promise->set_value(std::move(result)); }));
  if (answer.wait_for(60s) != std::future_status::ready) throw std::runtime_error("a call is not answered");
  return answer.get();
}

storage::RocksOptions small_store() {
  storage::RocksOptions options;
  options.derived_memory_bytes = 4 * storage::mebibyte;
  options.cache_bytes = storage::mebibyte;
  options.segment_bytes = storage::mebibyte / 16;
  options.spare_bytes = 4 * options.segment_bytes;
  return options;
}

}  // namespace

bool Scenario::open() {
  engine::EngineOptions options;
  options.hot_bytes = storage::mebibyte;
  options.checkpoint_bytes = 2'000;
  options.seed = 1;
  auto opened =
      engine::open_engine_over([this] { return storage::open_rocks_store(directory_ / "db", small_store()); }, options);
  if (opened) engine_ = std::move(*opened);
  refusal_ = opened ? "" : opened.error().detail;
  return opened.has_value();
}

bool Scenario::work() {
  constexpr int lives_max = 3;
  for (int round = 0; round < Facts::rounds;) {
    if (!engine_ && (lives_ == lives_max || !open())) {
      if (++lives_ >= lives_max) return false;
      continue;
    }
    if (enqueue(round) && settle_and_lease() && look(static_cast<std::size_t>(round * tasks_per_round)) &&
        settle_and_lease()) {
      ++round;
      continue;
    }
    ++lives_;
    ++round;  // what has failed may be repeated or not; here it is not
    engine_->close();
    engine_.reset();
  }
  return true;
}

void Scenario::stop() {
  if (engine_) engine_->close();
  engine_.reset();
  FaultyDisk::instance().heal();
  FaultyDisk::instance().lose_power();
}

/// Whether the engine goes on after this error.
bool Scenario::lives_after(const Error& error) const {
  return error.code != ErrorCode::durability_unknown && error.code != ErrorCode::unavailable &&
         error.code != ErrorCode::disk_low;
}

bool Scenario::enqueue(int round) {
  EnqueueRequest request;
  for (int i = 0; i < tasks_per_round; ++i) {
    const auto number = static_cast<std::size_t>(round * tasks_per_round + i);
    TaskSpec task;
    task.task_id = Facts::name(number);
    task.task_type = "t";
    task.payload = "\"" + std::string(payload_bytes(number), 'x') + "\"";
    task.max_retries = 1000;
    facts_.tasks[number].told = Facts::Fact::Told::unknown;
    request.tasks.push_back(std::move(task));
  }
  const auto reply = answer_of<EnqueueReply>([&](auto done) { engine_->enqueue(request, std::move(done)); });
  for (std::size_t i = 0; i < request.tasks.size(); ++i) {
    auto& told = facts_.of(request.tasks[i].task_id).told;
    if (reply && reply->items[i]) {
      told = Facts::Fact::Told::stored;
    } else if ((reply ? reply->items[i].error() : reply.error()).code != ErrorCode::durability_unknown) {
      told = Facts::Fact::Told::refused;
    }
  }
  return reply || lives_after(reply.error());
}

std::optional<WorkReply> Scenario::ask_for_work(std::vector<Lease> ended, std::size_t want, bool& alive) {
  WorkRequest request;
  request.worker.instance = "w";
  request.request_id = "r" + std::to_string(::getpid()) + "-" + std::to_string(++requests_);
  request.types.emplace_back("t");
  request.want = want;
  request.lease_duration = 60'000ms;
  for (const auto& lease : ended) {
    Settle end;
    end.token = lease.token;
    end.result = "[1]";
    request.settle.push_back(std::move(end));
  }
  auto reply = answer_of<WorkReply>([&](auto done) { engine_->work(request, std::move(done)); });
  alive = reply || lives_after(reply.error());
  if (!reply) return std::nullopt;
  for (const auto& settled : reply->settled)
    if (settled.result == ItemResult::recorded || settled.result == ItemResult::already_recorded)
      facts_.of(settled.task_id).completed = true;
  note_granted(reply->leases);
  return std::move(*reply);
}

void Scenario::note_granted(const std::vector<Lease>& leases) {
  for (const auto& lease : leases) {
    auto& fact = facts_.of(lease.task_id);
    if (fact.told == Facts::Fact::Told::refused) fail(lease.task_id.str() + " was refused and is granted");
    if (fact.completed) fail(lease.task_id.str() + " is granted after its end");
    if (lease.fence <= facts_.fence_max) fail("fence " + std::to_string(lease.fence) + " does not rise");
    facts_.fence_max = lease.fence;
    fact.told = Facts::Fact::Told::stored;  // it was seen: it may not vanish again
  }
}

bool Scenario::settle_and_lease() {
  bool alive = true;
  const auto reply = ask_for_work(std::exchange(held_, {}), 3, alive);
  if (reply) held_ = reply->leases;
  return alive;
}

bool Scenario::look(std::size_t task) {
  const auto record = answer_of<TaskRecord>([&](auto done) {
    engine_->find({Facts::name(task), true, true}, std::move(done));
  });
  auto& fact = facts_.tasks[task];
  if (record) {
    if (fact.told == Facts::Fact::Told::refused) fail(Facts::name(task) + " was refused and can be read");
    fact.told = Facts::Fact::Told::stored;
    fact.completed = fact.completed || record->status == Status::completed;
    return true;
  }
  const bool missing = record.error().code == ErrorCode::not_found;
  if (missing && fact.told == Facts::Fact::Told::stored) fail(Facts::name(task) + " cannot be read");
  return lives_after(record.error());
}

void Scenario::check() {
  if (!open()) return fail("does not open again on a disk that works: " + refusal_);
  for (std::size_t task = 0; task < facts_.tasks.size(); ++task) check_task(task);
  finish_everything();
  engine_->close();
  engine_.reset();
}

void Scenario::check_task(std::size_t task) {
  const auto name = Facts::name(task);
  const auto& fact = facts_.tasks[task];
  const auto record = answer_of<TaskRecord>([&](auto done) { engine_->find({name, true, true}, std::move(done)); });
  if (!record && record.error().code != ErrorCode::not_found) return fail(name + ": " + record.error().detail);
  if (!record && fact.told == Facts::Fact::Told::stored) return fail(name + " is lost");
  if (record && (fact.told == Facts::Fact::Told::refused || fact.told == Facts::Fact::Told::unsent))
    return fail(name + " was refused and is there");
  if (record && fact.completed && record->status != Status::completed)
    return fail(name + " was completed and is " + std::string(to_string(record->status)));
  if (record && record->spec.payload.size() != payload_bytes(task) + 2) fail(name + " has another payload");
}

/// What is there can be worked on; the leases that nobody ended are held by a worker that asks for them again.
void Scenario::finish_everything() {
  std::vector<Lease> ended;
  for (bool more = true, alive = true; more && alive && broken_.empty();) {
    const auto reply = ask_for_work(std::exchange(ended, {}), 50, alive);
    if (!reply) return fail("no work on a disk that works");
    more = !reply->leases.empty() || !reply->settled.empty();
    ended = reply->leases;
  }
}

void Scenario::fail(const std::string& how) {
  if (broken_.empty()) broken_ = how;
}

}  // namespace millrace::faults
