#pragma once

#include <memory>

#include "broker/broker.hpp"
#include "supervise/attempt_recorder.hpp"

namespace millrace::supervise {

/// A broker seen through another one, which notes every lease that passes: granted, extended, settled. What a handler
/// does in between is noted where it is called (`AttemptRecorder::started`, `finished`).
///
/// Threads: as the broker behind it.
class RecordingBroker final : public Broker {
 public:
  RecordingBroker(std::shared_ptr<Broker> broker, std::shared_ptr<AttemptRecorder> recorder)
      : broker_(std::move(broker)), recorder_(std::move(recorder)) {}

  void work(WorkRequest request, Completion<WorkReply> done) override;

  void enqueue(EnqueueRequest request, Completion<EnqueueReply> done) override {
    broker_->enqueue(std::move(request), std::move(done));
  }
  void stop_waiting(const std::string& instance) override { broker_->stop_waiting(instance); }
  void act(ActRequest request, Completion<ActReply> done) override {
    broker_->act(std::move(request), std::move(done));
  }
  void control(ControlRequest request, Completion<ControlReply> done) override {
    broker_->control(std::move(request), std::move(done));
  }
  void find(FindRequest request, Completion<TaskRecord> done) override {
    broker_->find(std::move(request), std::move(done));
  }
  void watch(WatchRequest request, Completion<TaskRecord> done) override {
    broker_->watch(std::move(request), std::move(done));
  }
  void stats(Completion<Stats> done) override { broker_->stats(std::move(done)); }
  Guarantees guarantees() const override { return broker_->guarantees(); }
  Capabilities capabilities() const override { return broker_->capabilities(); }
  Inspector* inspector() override { return broker_->inspector(); }
  void drain() override { broker_->drain(); }
  void close() override { broker_->close(); }

 private:
  const std::shared_ptr<Broker> broker_;
  const std::shared_ptr<AttemptRecorder> recorder_;
};

}  // namespace millrace::supervise
