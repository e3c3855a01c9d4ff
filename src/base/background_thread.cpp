#include "base/background_thread.hpp"

#include <unistd.h>

#include <sys/resource.h>

namespace millrace {

// On Linux a niceness belongs to a thread, not to the process.
void give_way() { static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 5)); }

}  // namespace millrace
