#include "supervise/recording_broker.hpp"

namespace millrace::supervise {
namespace {

void note(AttemptRecorder& recorder, const WorkReply& reply) {
  for (const auto& item : reply.settled) recorder.settled(item.token);
  for (const auto& item : reply.extended)
    if (item.result == ItemResult::recorded || item.result == ItemResult::already_recorded)
      recorder.extended(item.token, item.lease_left);
  for (const auto& lease : reply.leases) recorder.leased(lease.fence, lease.token, lease.lease_left, lease.timeout);
}

}  // namespace

void RecordingBroker::work(WorkRequest request, Completion<WorkReply> done) {
  ForwardingBroker::work(std::move(request),
                         [recorder = recorder_, done = std::move(done)](Result<WorkReply> reply) mutable {
                           // Before the worker sees a lease: no handler can start before its lease is noted.
                           if (reply) note(*recorder, *reply);
                           done(std::move(reply));
                         });
}

}  // namespace millrace::supervise
