#include <algorithm>

#include "server/routes.hpp"
#include "server/services.hpp"

namespace millrace::server {
namespace {

using access::Permission;

Error no_such_queue() { return {ErrorCode::not_found, "there is no such queue"}; }

void list_queues(Services& services, Call call) {
  services.broker.stats([call = std::move(call)](Result<Stats> stats) mutable {
    if (!stats) return call.refuse(stats.error());
    std::string body;
    {
      codec::ObjectWriter object(body);
      codec::append_list(object.key("queues"), stats->queues,
                         [&](const QueueStats& queue) { codec::write_queue(body, queue, stats->now); });
    }
    call.answer(200, std::move(body));
  });
}

void get_queue(Services& services, Call call) {
  services.broker.stats([call = std::move(call)](Result<Stats> stats) mutable {
    if (!stats) return call.refuse(stats.error());
    const auto queue = std::find_if(stats->queues.begin(), stats->queues.end(), [&](const QueueStats& candidate) {
      return candidate.queue.view() == call.param();
    });
    if (queue == stats->queues.end()) return call.refuse(no_such_queue());
    std::string body;
    codec::write_queue(body, *queue, stats->now);
    call.answer(200, std::move(body));
  });
}

void control(Services& services, Call call, Control control) {
  if (!valid_name(call.param())) return call.refuse(no_such_queue());
  ControlRequest request{control, call.param()};
  services.broker.control(std::move(request),
                          [&services, call = std::move(call), control](Result<ControlReply> reply) mutable {
                            const bool pause = control == Control::pause;
                            const auto result = reply ? "done" : error_info(reply.error().code).name;
                            services.audit(call, pause ? "queue.pause" : "queue.resume", call.param(), result);
                            if (!reply) return call.refuse(reply.error());
                            std::string body;
                            {
                              codec::ObjectWriter object(body);
                              object.text("queue", call.param());
                              object.boolean("paused", pause);
                            }
                            call.answer(200, std::move(body));
                          });
}

void pause_queue(Services& services, Call call) { control(services, std::move(call), Control::pause); }
void resume_queue(Services& services, Call call) { control(services, std::move(call), Control::resume); }

}  // namespace

std::vector<Route> queue_routes() {
  using enum http::Method;
  return {
      {get, "/api/v1/queues", "list_queues", Permission::read_tasks, list_queues},
      {get, "/api/v1/queues/{queue}", "get_queue", Permission::read_tasks, get_queue},
      {post, "/api/v1/queues/{queue}/pause", "pause_queue", Permission::manage_queues, pause_queue},
      {post, "/api/v1/queues/{queue}/resume", "resume_queue", Permission::manage_queues, resume_queue},
  };
}

}  // namespace millrace::server
