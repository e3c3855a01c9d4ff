#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

namespace millrace::tasks {

/// One mail, before it becomes bytes.
struct Mail {
  std::string from = {};             // an address; fixed by the operator
  std::vector<std::string> to = {};  // 1 to 50 addresses
  std::string subject = "(no subject)";
  std::string body = {};        // UTF-8 text
  std::string message_id = {};  // without angle brackets; the same for each attempt, so that readers drop copies
  std::chrono::sys_seconds date = {};
};

/// Whether `text` is one bare address, `local@domain`, of the ASCII alphabet without quoting; at most 254 bytes.
bool is_mail_address(std::string_view text) noexcept;

/// The part after the `@`, in lower case.
std::string mail_domain(std::string_view address);

/// The message of RFC 5322 with CRLF line ends: text/plain, UTF-8, quoted-printable; a subject outside ASCII as encoded
/// words of RFC 2047. Errors: invalid_argument for an address that is none, a recipient list outside its limits, or a
/// control character (CR and LF first of all) in anything that becomes a header.
Result<std::string> format_mail(const Mail& mail);

/// `text` as the value of an unstructured header, folded; starts after `Name: `, whose size is `column`.
std::string encode_header_text(std::string_view text, std::size_t column);

/// `text` as quoted-printable (RFC 2045 6.7), any line end becoming CRLF; lines of at most 76 characters.
std::string quoted_printable(std::string_view text);

}  // namespace millrace::tasks
