/// Read by jemalloc before `main`: a burst's memory goes back to the system within seconds, by a thread of its own, and
/// there are as many arenas as the engine has busy threads, not four for each processor.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true,narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0";
