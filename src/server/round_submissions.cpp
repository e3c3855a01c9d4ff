#include "server/round_submissions.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace millrace::server {
namespace {

// A call stays small enough for one group of the journal.
constexpr std::size_t tasks_max = 256;
constexpr std::size_t payload_bytes_max = 256 * 1024;

/// What the current thread has gathered. A thread serves one gateway; another owner's tasks go the direct way.
struct Gathered {
  const RoundSubmissions* owner = nullptr;
  bool in_round = false;
  EnqueueRequest request = {};
  std::vector<Completion<EnqueueReply>> waiting = {};
  std::size_t payload_bytes = 0;
};
thread_local Gathered gathered;

/// Gives each waiting submission its own item.
void distribute(std::vector<Completion<EnqueueReply>>& waiting, Result<EnqueueReply> reply) {
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (!reply) {
      waiting[i](reply.error());
      continue;
    }
    EnqueueReply own{{}, reply->durability};
    if (i < reply->items.size()) own.items.push_back(std::move(reply->items[i]));
    waiting[i](std::move(own));
  }
}

}  // namespace

RoundSubmissions::Round::Round(RoundSubmissions& submissions) noexcept {
  const bool is_taken = gathered.owner != &submissions && !gathered.waiting.empty();
  if (!submissions.gathers_ || is_taken) return;
  gathered.owner = &submissions;
  gathered.in_round = true;
}

RoundSubmissions::Round::~Round() { gathered.in_round = false; }

void RoundSubmissions::submit(TaskSpec task, Completion<EnqueueReply> done) {
  if (!gathered.in_round || gathered.owner != this) {
    EnqueueRequest request;
    request.tasks.push_back(std::move(task));
    return broker_.enqueue(std::move(request), std::move(done));
  }
  gathered.payload_bytes += task.payload.size();
  gathered.request.tasks.push_back(std::move(task));
  gathered.waiting.push_back(std::move(done));
  if (gathered.waiting.size() >= tasks_max || gathered.payload_bytes >= payload_bytes_max) end_round();
}

void RoundSubmissions::end_round() {
  if (gathered.owner != this || gathered.waiting.empty()) return;
  auto request = std::exchange(gathered.request, {});
  gathered.payload_bytes = 0;
  broker_.enqueue(std::move(request),
                  [waiting = std::exchange(gathered.waiting, {})](Result<EnqueueReply> reply) mutable {
                    distribute(waiting, std::move(reply));
                  });
}

}  // namespace millrace::server
