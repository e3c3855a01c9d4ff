// Submits tasks and waits for their results.
//   producer http://127.0.0.1:8000
#include <iostream>
#include <vector>

#include <millrace/millrace.hpp>

#include "send_email.hpp"

using namespace std::chrono_literals;

int main(int argc, char** argv) try {
  const millrace::Client client{argc > 1 ? argv[1] : "http://127.0.0.1:8000"};

  auto task = client.enqueue(SendEmail{.to = "ada@example.com", .subject = "hello"}, {.queue = "mail"});
  std::cout << "receipt " << task.wait(20s).message_id << "\n";

  // Many at once: one request, one wait for durability.
  const std::vector<SendEmail> mails{{.to = "busy@example.com"}, {.to = "eve@blocked.example"}};
  for (const auto& sent : client.enqueue_all(mails, {.queue = "mail"})) {
    const auto receipt = sent.try_wait(20s);
    std::cout << (receipt ? "receipt " + receipt->message_id : receipt.error().detail) << "\n";
  }

  // Every call has a twin that does not throw.
  if (const auto refused = client.try_enqueue(mails[0], {.queue = "no good"}); !refused) {
    std::cout << to_string(refused.error()) << "\n";
  }
  return 0;
} catch (const millrace::Failure& failure) {
  std::cerr << failure.what() << "\n";
  return 1;
}
