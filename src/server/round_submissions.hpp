#pragma once

#include <atomic>

#include <millrace/task.hpp>

#include "broker/broker.hpp"

namespace millrace::server {

/// Submits tasks one by one or, where an I/O thread says when its round of events ends, all tasks of a round in one
/// call: 64 clients that post one task each then cost the broker one command and one wake-up instead of 64. Each task
/// is still atomic by itself and answered by itself.
///
/// Threads: any.
class RoundSubmissions {
 public:
  explicit RoundSubmissions(Broker& broker) : broker_(broker) {}
  RoundSubmissions(const RoundSubmissions&) = delete;
  RoundSubmissions& operator=(const RoundSubmissions&) = delete;

  /// From now on tasks submitted within a `Round` wait for `end_round` of their thread.
  void gather() noexcept { gathers_ = true; }
  /// Passes on what this thread has gathered.
  void end_round();

  /// `done` gets a reply with one item.
  void submit(TaskSpec task, Completion<EnqueueReply> done);

  /// Marks a call on a thread that will say `end_round`.
  class Round {
   public:
    explicit Round(RoundSubmissions& submissions) noexcept;
    ~Round();
    Round(const Round&) = delete;
    Round& operator=(const Round&) = delete;
  };

 private:
  Broker& broker_;
  std::atomic<bool> gathers_{false};
};

}  // namespace millrace::server
