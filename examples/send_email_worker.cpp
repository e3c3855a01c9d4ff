// A worker of its own: runs the tasks of a Millrace server, or of an embedded engine, until SIGTERM.
//   send_email_worker http://127.0.0.1:8000
#include <iostream>

#include <millrace/millrace.hpp>

#include "send_email.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const auto broker = millrace::connect(argc > 1 ? argv[1] : "http://127.0.0.1:8000");
  millrace::Worker worker{broker, {.name = "mailer", .concurrency = 16}};
  worker.on(
      [](const SendEmail& mail, millrace::Context& context) -> Receipt {  // called concurrently
        if (mail.to.ends_with("@blocked.example")) throw millrace::Permanent{"the address is banned"};
        if (mail.to.starts_with("busy") && context.attempt() == 1) throw millrace::Defer{100ms};
        context.progress(0.5, "connecting");
        return {.message_id = "to-" + mail.to + "-attempt-" + std::to_string(context.attempt())};
      },
      {.timeout = 2min});
  return millrace::run(worker);  // until SIGTERM or SIGINT, then finishes what runs
}
