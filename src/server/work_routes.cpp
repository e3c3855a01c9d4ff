#include "codec/json_work.hpp"
#include "server/routes.hpp"
#include "server/services.hpp"

namespace millrace::server {
namespace {

using access::Permission;

/// Only a call without started, settle and extend waits.
bool may_wait(const WorkRequest& request) {
  return request.wait > Milliseconds{0} && request.started.empty() && request.settle.empty() && request.extend.empty();
}

/// A call that says nothing and wants nothing is how a worker ends its own wait: it has no line to the broker but this.
bool ends_wait(const WorkRequest& request) {
  return request.want == 0 && request.started.empty() && request.settle.empty() && request.extend.empty();
}

/// Gives leases back that never reached their worker, so that others need not wait for them to end.
void release(Services& services, WorkerInfo worker, std::vector<Lease> leases) {
  WorkRequest request;
  request.worker = std::move(worker);
  request.settle.reserve(leases.size());
  for (auto& lease : leases) {
    Settle settle;
    settle.token = std::move(lease.token);
    settle.outcome = Outcome::released;
    request.settle.push_back(std::move(settle));
  }
  // Whatever fails here ends with the lease.
  services.broker.work(std::move(request),
                       [](const Result<WorkReply>& reply) { ignore(reply, "the leases end by themselves"); });
}

/// What of a call is needed once the broker has answered.
struct Pending {
  codec::WorkCall call = {};  // the request has been moved out, but for the worker
  std::string request_id = {};
  WorkerInfo worker = {};
};

http::Response work_response(Services& services, WorkReply reply, Pending pending) {
  codec::merge_bad_items(reply, pending.call);
  std::string body;
  body.reserve(256 + reply.settled.size() * 128 + reply.leases.size() * 512);
  codec::write_work_reply(body, reply, pending.request_id);
  auto response = json_response(200, std::move(body));
  if (reply.leases.empty()) return response;
  response.delivery_failed = [&services, worker = std::move(pending.worker),
                              leases = std::move(reply.leases)]() mutable {
    release(services, std::move(worker), std::move(leases));
  };
  return response;
}

void work(Services& services, Call call) {
  const auto refuse_child = [&](const TaskSpec& child) { return services.refuse_type(call, child.task_type.view()); };
  auto read = codec::read_work_call(call.request.body, refuse_child, services.options.defaults);
  if (!read) return call.refuse(read.error());
  auto request = std::move(read->request);
  Pending pending{std::move(*read), request.request_id, request.worker};
  const auto instance = request.worker.instance;
  const auto watch = may_wait(request) ? call.request.watch : nullptr;
  if (ends_wait(request)) services.broker.stop_waiting(instance);
  services.broker.work(std::move(request), [&services, call = std::move(call),
                                            pending = std::move(pending)](Result<WorkReply> reply) mutable {
    if (!reply) return call.refuse(reply.error());
    call.answer(work_response(services, std::move(*reply), std::move(pending)));
  });
  if (watch) watch->on_gone([&services, instance] { services.broker.stop_waiting(instance); });
}

}  // namespace

std::vector<Route> work_routes() { return {{http::Method::post, "/api/v1/work", "work", Permission::run_tasks, work}}; }

}  // namespace millrace::server
