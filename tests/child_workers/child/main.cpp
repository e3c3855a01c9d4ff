// `millrace internal-worker` without the rest of millrace.
#include "internal_worker.hpp"

int main() { return millrace::app::run_internal_worker(); }
