#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include <millrace/result.hpp>

namespace millrace::tasks {

/// Where mail goes by SMTP. TLS is as the scheme says: `smtps://` from the first byte, `smtp+starttls://` by STARTTLS
/// or not at all, `smtp://` without. User and password stand in the URL; with `smtp://` only for a loopback host.
struct MailServer {
  std::string url = {};
  std::string ca_file = {};                // PEM; empty = the system's
  std::chrono::milliseconds time{60'000};  // whole conversation
  std::chrono::milliseconds connect_time{10'000};
};

/// Whether `server.url` is usable; the message never contains its password. Errors: invalid_argument.
Result<void> check_mail_server(const MailServer& server);

/// Hands one formatted message to the server. All recipients are accepted or nothing is sent.
///
/// Errors        forbidden: the server said 5xx, never try again. unavailable: 4xx or no conversation, try later; the
///               message may have been delivered when the connection broke after its last byte.
/// Cancellation  `stop` ends the conversation at once (unavailable)
Result<void> send_by_smtp(const MailServer& server, const std::string& from, const std::vector<std::string>& to,
                          const std::string& message, std::stop_token stop);

/// Writes `message` as `folder`/`name` so that readers see all of it or nothing, also after a power cut; a file of that
/// name is replaced. Creates the folder (0700). Errors: unavailable.
Result<void> write_to_outbox(const std::string& folder, const std::string& name, const std::string& message);

}  // namespace millrace::tasks
