#include "tests/simulation/simulation.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <unordered_map>

#include "domain/rules.hpp"
#include "tests/simulation/inputs.hpp"
#include "tests/simulation/invariants.hpp"
#include "tests/simulation/ledger.hpp"

namespace millrace::simulation {
namespace {

using namespace std::chrono_literals;

/// A worker that was built by somebody else: it forgets answers, repeats calls, stalls, and never comes back.
struct Worker {
  std::string instance = {};
  bool inside = false;
  int life = 0;
  std::vector<Lease> held = {};
  std::optional<WorkRequest> unanswered = {};                // to be repeated word for word
  std::unordered_map<std::string, std::uint32_t> seen = {};  // by token: the incarnation it was given for
  std::vector<LeaseToken> old = {};                          // tokens of ended attempts, to be used again out of spite
};

class Run {
 public:
  Run(std::uint64_t seed, World::Knobs knobs)
      : random_(seed), world_(seed ^ 0x5eed, options(random_), knobs), faults_(pick_faults()) {
    report_.seed = seed;
    workers_.resize(1 + random_.below(4));
    for (std::size_t i = 0; i < workers_.size(); ++i) new_life(workers_[i], i);
  }

  Report run() {
    try {
      const auto steps = 100 + random_.below(300);
      for (std::uint64_t i = 0; i < steps && ledger_.broken.empty(); ++i) step();
      if (ledger_.broken.empty()) drain();
      if (ledger_.broken.empty()) check_at_the_end(world_, ledger_);
    } catch (const Failure& failure) {
      ledger_.fail("recovery", failure.what());
    }
    report_.broken = ledger_.broken;
    report_.trace = world_.trace();
    report_.simulated_ms = world_.time() - 1'000'000;
    report_.crashes = world_.crashes();
    report_.tasks = static_cast<std::uint64_t>(std::count_if(
        ledger_.tasks().begin(), ledger_.tasks().end(), [](const auto& task) { return task.second.acknowledged; }));
    return report_;
  }

 private:
  struct Faults {
    double lost_reply = 0, crash = 0, power = 0, clock_step = 0, stall = 0, operate = 0, crash_between = 0;
  };

  static engine::CoreOptions options(Random& random) {
    engine::CoreOptions options;
    options.hot_bytes = random.chance(0.5) ? 1 : std::size_t{64} << 20;
    options.checkpoint_bytes = std::size_t{1} << (8 + random.below(10));
    options.aging_ms = random.chance(0.2) ? 0 : 10'000;
    return options;
  }

  Faults pick_faults() {
    Faults faults;
    const auto some = [&](double most) { return random_.chance(0.6) ? random_.share() * most : 0.0; };
    faults.lost_reply = some(0.3);
    faults.crash = some(0.03);
    faults.power = random_.share();
    faults.clock_step = some(0.02);
    faults.stall = some(0.2);
    faults.operate = some(0.1);
    faults.crash_between = some(0.05);
    return faults;
  }

  void new_life(Worker& worker, std::size_t index) {
    worker.instance = "w" + std::to_string(index) + "-" + std::to_string(worker.life++);
    worker.inside = index == 0 && random_.chance(0.5);
    worker.held.clear();
    worker.unanswered.reset();
  }

  bool lost() { return random_.chance(faults_.lost_reply); }

  // ---- one step ---------------------------------------------------------------------------------------------------

  void step() {
    const auto dice = random_.below(100);
    if (dice < 25) {
      enqueue();
    } else if (dice < 60) {
      work(workers_[random_.below(workers_.size())]);
    } else if (dice < 70) {
      world_.pass_time(static_cast<std::int64_t>(random_.below(random_.chance(0.1) ? 60'000 : 3'000)));
    } else if (dice < 80) {
      world_.run_job();
    } else {
      world_.tick();
      world_.seal();
      if (random_.chance(faults_.crash_between) && world_.has_groups()) {
        world_.write_group(true);
        after_crash();
      } else {
        while (world_.has_groups() && random_.chance(0.9)) world_.write_group();
      }
    }
    if (random_.chance(faults_.operate)) operate();
    if (random_.chance(faults_.clock_step))
      world_.step_wall(static_cast<std::int64_t>(random_.below(7'200'000)) - 3'600'000);
    if (random_.chance(faults_.crash)) {
      world_.crash(random_.chance(faults_.power) ? storage::Crash::power : storage::Crash::process);
      after_crash();
    }
    if (!world_.audit().broken.empty()) ledger_.fail("journal", world_.audit().broken);
    if (random_.chance(0.01)) check_replay(world_, ledger_, [this] { after_crash(); });
    if (random_.chance(0.05)) check_counters(world_.state(), ledger_);
  }

  /// Workers inside the server die with it; the others live on, without an answer to what they asked.
  void after_crash() {
    for (std::size_t i = 0; i < workers_.size(); ++i)
      if (workers_[i].inside) new_life(workers_[i], i);
  }

  void enqueue() {
    EnqueueRequest request;
    const auto count = 1 + random_.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      request.tasks.push_back(some_task(random_, world_.wall()));
      const auto& task = request.tasks.back();
      if (task.on_duplicate == OnDuplicate::rerun) ledger_.operated(task.task_id.str(), false);
    }
    request.atomic = random_.chance(0.1);
    if (request.atomic)
      for (auto& task : request.tasks) task.queue = request.tasks.front().queue;
    send_enqueue(std::move(request));
  }

  void send_enqueue(EnqueueRequest request) {
    engine::PreparedEnqueue prepared;
    prepared.atomic = request.atomic;
    const auto now = WallTime{Milliseconds{world_.wall()}};
    prepared.tasks = engine::prepare(request.tasks, TaskLimits{}, now, "tasks");
    const bool dropped = lost();
    std::vector<bool> known;
    for (const auto& task : request.tasks) known.push_back(ledger_.acknowledged(task.task_id.str()));
    const auto accepted_at = std::make_shared<std::int64_t>(0);
    world_.submit(engine::enqueue_command(
        std::move(prepared), [this, dropped, request, known, accepted_at](Result<EnqueueReply> reply) {
          if (dropped || !reply) return;
          for (std::size_t i = 0; i < reply->items.size(); ++i) {
            const auto& item = reply->items[i];
            if (!item) continue;
            const auto& task = request.tasks[i];
            ledger_.accepted(*item, *accepted_at + task.delay.count(), known[i]);
            if (task.idempotency_key.empty()) continue;
            ledger_.key_mapped(task.queue.str() + "/" + task.idempotency_key, item->task_id.str());
          }
        }));
    *accepted_at = world_.state().now.engine;
  }

  // ---- workers ------------------------------------------------------------------------------------------------------

  void work(Worker& worker) {
    if (random_.chance(faults_.stall)) return;
    if (random_.chance(0.02)) {
      const auto index = static_cast<std::size_t>(&worker - workers_.data());
      new_life(worker, index);
    }
    WorkRequest request;
    if (worker.unanswered && random_.chance(0.8)) {
      request = *worker.unanswered;
    } else {
      request = ask(worker);
    }
    worker.unanswered = request;
    send_work(worker, std::move(request));
  }

  WorkRequest ask(Worker& worker, double settled_share = 0.5) {
    WorkRequest request;
    request.worker.instance = worker.instance;
    request.worker.name = worker.instance;
    request.worker.inside_server = worker.inside;
    request.request_id = "r" + std::to_string(++request_number_);
    for (const auto& type : type_names) request.types.emplace_back(type);
    if (random_.chance(0.3)) request.queues = std::vector<QueueName>{queue_names[random_.below(queue_names.size())]};
    request.want = random_.below(6);
    request.lease_duration = Milliseconds{static_cast<std::int64_t>(1'000 + random_.below(20'000))};
    if (random_.chance(0.3)) request.wait = Milliseconds{static_cast<std::int64_t>(random_.below(10'000))};
    std::vector<Lease> keep;
    for (auto& lease : worker.held) {
      if (random_.chance(settled_share)) {
        request.settle.push_back(some_end(random_, lease));
        worker.old.push_back(lease.token);
      } else {
        if (random_.chance(0.5)) request.started.push_back(lease.token);
        if (random_.chance(0.5)) request.extend.push_back({lease.token, Progress{0.5, "half"}, {"a line"}});
        keep.push_back(std::move(lease));
      }
    }
    worker.held = std::move(keep);
    if (!worker.old.empty() && random_.chance(0.2)) {
      Settle late;
      late.token = worker.old[random_.below(worker.old.size())];
      late.outcome = random_.chance(0.5) ? Outcome::completed : Outcome::failed;
      request.settle.push_back(std::move(late));
    }
    return request;
  }

  void send_work(Worker& worker, WorkRequest request) {
    engine::PreparedWork prepared;
    prepared.children.resize(request.settle.size());
    for (std::size_t i = 0; i < request.settle.size(); ++i)
      prepared.children[i] =
          engine::prepare(request.settle[i].children, TaskLimits{}, WallTime{Milliseconds{world_.wall()}}, "enqueue");
    prepared.request = std::move(request);
    const bool dropped = lost();
    const auto index = static_cast<std::size_t>(&worker - workers_.data());
    world_.submit(engine::work_command(std::move(prepared),
                                       [this, dropped, index, life = worker.instance](Result<WorkReply> reply) {
                                         if (dropped || !reply) return;
                                         answered(workers_[index], life, *reply);
                                       }));
  }

  void answered(Worker& worker, const std::string& life, const WorkReply& reply) {
    for (const auto& lease : reply.leases) {
      ledger_.granted(lease, engine_now());
      ++report_.grants;
      worker.seen.emplace(lease.token.str(), lease.incarnation);
      const bool known = std::any_of(worker.held.begin(), worker.held.end(),
                                     [&](const Lease& held) { return held.token == lease.token; });
      if (worker.instance == life && !known) worker.held.push_back(lease);
    }
    for (const auto& settled : reply.settled) {
      if (settled.result != ItemResult::recorded || !settled.status) continue;
      const auto seen = worker.seen.find(settled.token.str());
      if (seen == worker.seen.end()) continue;
      ledger_.settled(settled.task_id.str(), seen->second, *settled.status);
      for (const auto& child : settled.children) {
        Enqueued accepted;
        accepted.task_id = child;
        ledger_.accepted(accepted, 0, false);
      }
    }
    if (worker.instance == life) worker.unanswered.reset();
  }

  std::int64_t engine_now() { return world_.state().now.engine; }

  // ---- the operator ------------------------------------------------------------------------------------------------

  void operate() {
    if (random_.chance(0.3)) {
      ControlRequest request;
      request.queue = queue_names[random_.below(queue_names.size())];
      request.control = random_.chance(0.15) ? Control::purge : random_.chance(0.5) ? Control::pause : Control::resume;
      if (request.control == Control::purge) ledger_.purged();
      world_.submit(engine::control_command(request, [](Result<ControlReply>) {}));
      return;
    }
    if (ledger_.tasks().empty()) return;
    auto task = ledger_.tasks().begin();
    std::advance(task, random_.below(ledger_.tasks().size()));
    ActRequest request;
    request.tasks.emplace_back(task->first);
    request.action = static_cast<Action>(1 + random_.below(4));
    ledger_.operated(task->first, request.action == Action::erase);
    world_.submit(engine::act_command(request, [](Result<ActReply>) {}));
  }

  // ---- the end -----------------------------------------------------------------------------------------------------

  /// No faults any more: everything that can end must end (T22).
  void drain() {
    faults_ = {};
    world_.settle_down();
    for (const auto& queue : queue_names)
      world_.submit(engine::control_command({Control::resume, queue}, [](Result<ControlReply>) {}));
    for (int round = 0; round < 4000; ++round) {
      world_.settle_down();
      for (auto& worker : workers_) {
        WorkRequest request = worker.unanswered ? *worker.unanswered : ask(worker, 0.9);
        if (!worker.unanswered) {
          request.queues.reset();
          request.want = 20;
          request.wait = {};
        }
        worker.unanswered = request;
        send_work(worker, std::move(request));
        world_.settle_down();
      }
      if (unfinished(world_.state()) == 0 || !ledger_.broken.empty()) return;
      // When all that is left waits for its time, as a `run_at` may for hours after the clock was set back, the engine
      // sleeps, exactly as long as it says.
      if (count(world_.state(), Status::queued) + count(world_.state(), Status::processing) == 0)
        world_.sleep();
      else
        world_.pass_time(500 + static_cast<std::int64_t>(random_.below(5'000)));
    }
    std::string which;
    world_.submit(
        engine::list_command({.statuses = {Status::scheduled, Status::queued, Status::processing, Status::retrying}},
                             [&](Result<TaskPage> page) {
                               for (const auto& task : page->tasks)
                                 which += " " + task.spec.task_id.str() + " " + std::string(to_string(task.status));
                             }));
    world_.settle_down();
    ledger_.fail("T22", std::to_string(unfinished(world_.state())) + " tasks do not end:" + which + ", engine " +
                            std::to_string(engine_now()) + ", leases " + std::to_string(world_.state().leases.size()));
  }

  Random random_;
  World world_;
  Faults faults_;
  Ledger ledger_;
  Report report_;
  std::vector<Worker> workers_;
  std::uint64_t request_number_ = 0;
};

}  // namespace

Report simulate(std::uint64_t seed, World::Knobs knobs) { return Run(seed, knobs).run(); }

}  // namespace millrace::simulation
