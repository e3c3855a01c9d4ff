#pragma once

#include <memory>
#include <string>
#include <utility>

#include "broker/broker.hpp"

namespace millrace::supervise {

/// A broker that hands every call to another one; what derives from it changes single calls on their way.
/// Threads: as the broker behind it.
class ForwardingBroker : public Broker {
 public:
  explicit ForwardingBroker(std::shared_ptr<Broker> behind) : behind_(std::move(behind)) {}

  void enqueue(EnqueueRequest request, Completion<EnqueueReply> done) override {
    behind_->enqueue(std::move(request), std::move(done));
  }
  void work(WorkRequest request, Completion<WorkReply> done) override {
    behind_->work(std::move(request), std::move(done));
  }
  void stop_waiting(const std::string& instance) override { behind_->stop_waiting(instance); }
  void act(ActRequest request, Completion<ActReply> done) override {
    behind_->act(std::move(request), std::move(done));
  }
  void control(ControlRequest request, Completion<ControlReply> done) override {
    behind_->control(std::move(request), std::move(done));
  }
  void find(FindRequest request, Completion<TaskRecord> done) override {
    behind_->find(std::move(request), std::move(done));
  }
  void watch(WatchRequest request, Completion<TaskRecord> done) override {
    behind_->watch(std::move(request), std::move(done));
  }
  void stats(Completion<Stats> done) override { behind_->stats(std::move(done)); }
  Guarantees guarantees() const override { return behind_->guarantees(); }
  Capabilities capabilities() const override { return behind_->capabilities(); }
  Inspector* inspector() override { return behind_->inspector(); }
  void drain() override { behind_->drain(); }
  void close() override { behind_->close(); }

 private:
  const std::shared_ptr<Broker> behind_;
};

}  // namespace millrace::supervise
