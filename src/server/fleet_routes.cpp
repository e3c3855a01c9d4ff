#include "server/routes.hpp"
#include "server/services.hpp"

namespace millrace::server {
namespace {

using access::Permission;

/// Answers with what `write(body, stats)` makes of the counters.
template <class Write>
void answer_stats(Services& services, Call call, Write write) {
  services.broker.stats([call = std::move(call), write](Result<Stats> stats) mutable {
    if (!stats) return call.refuse(stats.error());
    std::string body;
    write(body, *stats);
    call.answer(200, std::move(body));
  });
}

void list_workers(Services& services, Call call) {
  answer_stats(services, std::move(call), [](std::string& body, const Stats& stats) {
    codec::ObjectWriter object(body);
    codec::append_list(object.key("workers"), stats.workers,
                       [&](const WorkerStats& worker) { codec::write_worker(body, worker); });
  });
}

void list_types(Services& services, Call call) {
  answer_stats(services, std::move(call), [](std::string& body, const Stats& stats) {
    codec::ObjectWriter object(body);
    codec::append_list(object.key("task_types"), stats.types,
                       [&](const TypeStats& type) { codec::write_type(body, type); });
  });
}

void get_stats(Services& services, Call call) {
  answer_stats(services, std::move(call),
               [](std::string& body, const Stats& stats) { codec::write_stats(body, stats); });
}

void get_guarantees(Services& services, Call call) {
  std::string body;
  codec::write_guarantees(body, services.broker.guarantees(), services.broker.capabilities());
  call.answer(200, std::move(body));
}

}  // namespace

std::vector<Route> fleet_routes() {
  using enum http::Method;
  return {
      {get, "/api/v1/workers", "list_workers", Permission::read_tasks, list_workers},
      {get, "/api/v1/task-types", "list_task_types", Permission::read_tasks, list_types},
      {get, "/api/v1/stats", "get_stats", Permission::read_tasks, get_stats},
      {get, "/api/v1/guarantees", "get_guarantees", Permission::read_tasks, get_guarantees},
  };
}

}  // namespace millrace::server
