#pragma once

#include <memory>
#include <utility>

#include "supervise/attempt_recorder.hpp"
#include "supervise/forwarding_broker.hpp"

namespace millrace::supervise {

/// A broker seen through another one, which notes every lease that passes: granted, extended, settled. What a handler
/// does in between is noted where it is called (`AttemptRecorder::started`, `finished`).
class RecordingBroker final : public ForwardingBroker {
 public:
  RecordingBroker(std::shared_ptr<Broker> behind, std::shared_ptr<AttemptRecorder> recorder)
      : ForwardingBroker(std::move(behind)), recorder_(std::move(recorder)) {}

  void work(WorkRequest request, Completion<WorkReply> done) override;

 private:
  const std::shared_ptr<AttemptRecorder> recorder_;
};

}  // namespace millrace::supervise
