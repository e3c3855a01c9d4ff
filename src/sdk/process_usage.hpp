#pragma once

#include "broker/messages.hpp"

namespace millrace::detail {

/// Host, pid and version; the rest is left to the worker.
WorkerInfo this_process();

/// Updates what `info` says about processor and memory. The share of a core is an average since the call before.
class ProcessUsage {
 public:
  void update(WorkerInfo& info);

 private:
  double cpu_seconds_ = 0;
  double wall_seconds_ = 0;
};

}  // namespace millrace::detail
