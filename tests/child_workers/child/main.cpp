// `millrace internal-worker` without the rest of millrace.
#include <cstdio>

#include "internal_worker.hpp"

int main() {
  return millrace::app::run_internal_worker([](const millrace::WorkerEvent& event) {
    if (event.kind == millrace::WorkerEvent::Kind::broker_lost)
      std::fprintf(stderr, "internal worker: %.*s\n", static_cast<int>(event.error.size()), event.error.data());
  });
}
