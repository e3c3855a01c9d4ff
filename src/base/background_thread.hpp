#pragma once

namespace millrace {

/// The calling thread gives way, from now on, to threads that somebody waits for: where all processors are busy it gets
/// about a third of another thread's share (nice 5). Without effect where the system refuses.
void give_way();

}  // namespace millrace
