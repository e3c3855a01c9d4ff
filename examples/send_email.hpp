#pragma once

// What the worker and the producer of the example agree on.

#include <array>
#include <optional>
#include <string>

struct Receipt {
  std::string message_id = {};
};

struct SendEmail {
  static constexpr auto task_type = "send_email_example";  // stable on the wire
  static constexpr std::array required{"to"};              // a task without it is refused by the worker
  using Output = Receipt;                                  // what the handler returns and the producer gets
  std::string to = {};
  std::string subject = "(no subject)";
  std::optional<std::string> cc = {};
};
