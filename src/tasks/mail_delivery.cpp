#include "tasks/mail_delivery.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>

#include "tasks/file_descriptor.hpp"
#include "tasks/text_check.hpp"
#include "tasks/transfer.hpp"

namespace millrace::tasks {
namespace {

constexpr std::string_view starttls_scheme = "smtp+starttls://";

struct ServerUrl {
  CurlUrl url;
  bool starttls = false;
};

Error invalid(std::string detail) { return {ErrorCode::invalid_argument, std::move(detail), "smtp_url"}; }

bool has(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  const bool found = curl_url_get(url, which, &text, 0) == CURLUE_OK;
  curl_free(text);
  return found;
}

std::string text_of(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

Result<ServerUrl> parse_server(const std::string& text) {
  ServerUrl server{CurlUrl{curl_url()}, text.starts_with(starttls_scheme)};
  if (!server.url) return Error{ErrorCode::unavailable, "no memory"};
  const auto plain = server.starttls ? "smtp://" + text.substr(starttls_scheme.size()) : text;
  if (const auto error = curl_url_set(server.url.get(), CURLUPART_URL, plain.c_str(), 0); error != CURLUE_OK)
    return invalid(std::string("not a URL: ") + curl_url_strerror(error));
  const auto scheme = text_of(server.url.get(), CURLUPART_SCHEME);
  if (scheme != "smtp" && scheme != "smtps") return invalid("the scheme is smtp, smtps or smtp+starttls");
  const auto host = text_of(server.url.get(), CURLUPART_HOST);
  const bool loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.");
  if (scheme == "smtp" && !server.starttls && !loopback && has(server.url.get(), CURLUPART_PASSWORD))
    return invalid("a password would travel in clear: use smtps:// or smtp+starttls://");
  return server;
}

struct Upload {
  std::string_view left;
};

std::size_t give_message(char* into, std::size_t size, std::size_t count, void* context) {
  auto& upload = *static_cast<Upload*>(context);
  const auto taken = std::min(size * count, upload.left.size());
  std::memcpy(into, upload.left.data(), taken);
  upload.left.remove_prefix(taken);
  return taken;
}

Error conversation_error(CURLcode code, long answer, const char* message) {
  const std::string detail = message[0] != '\0' ? printable(message) : curl_easy_strerror(code);
  if (code == CURLE_ABORTED_BY_CALLBACK) return {ErrorCode::unavailable, "stopped"};
  const std::string said = answer >= 400 ? "the mail server said " + std::to_string(answer) + ": " : "";
  return {answer >= 500 && answer < 600 ? ErrorCode::forbidden : ErrorCode::unavailable, said + detail};
}

Error outbox_error(const std::string& path) {
  return {ErrorCode::unavailable, path + ": " + std::strerror(errno), "outbox_dir"};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<void> check_mail_server(const MailServer& server) {
  auto parsed = parse_server(server.url);
  if (!parsed) return std::move(parsed).error();
  return {};
}

Result<void> send_by_smtp(const MailServer& server, const std::string& from, const std::vector<std::string>& to,
                          const std::string& message, std::stop_token stop) {
  const auto parsed = parse_server(server.url);
  if (!parsed) return parsed.error();
  const CurlEasy handle = new_transfer();
  CurlList recipients;
  bool complete = static_cast<bool>(handle);
  for (const auto& address : to) complete = complete && append(recipients, "<" + address + ">");
  if (!complete) return Error{ErrorCode::unavailable, "no memory"};

  Upload upload{message};
  char said[CURL_ERROR_SIZE] = "";
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_CURLU, parsed->url.get());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(parsed->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  if (!server.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, server.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, ("<" + from + ">").c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, &give_message);
  curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
  curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(message.size()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(server.connect_time.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(server.time.count()));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);

  const CURLcode code = run_transfer(curl, server.time, std::move(stop));
  if (code == CURLE_OK) return {};
  long answer = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
  return conversation_error(code, answer, said);
}

Result<void> write_to_outbox(const std::string& folder, const std::string& name, const std::string& message) {
  static std::atomic<std::uint64_t> next{0};
  std::error_code error;
  if (std::filesystem::create_directories(folder, error))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  const FileDescriptor at{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!at) return outbox_error(folder);
  const std::string draft =
      "." + name + "." + std::to_string(::getpid()) + "." + std::to_string(next.fetch_add(1)) + ".tmp";
  const FileDescriptor file{
      ::openat(at.get(), draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file) return outbox_error(folder + "/" + draft);
  const bool written = write_all(file.get(), message) && ::fsync(file.get()) == 0 &&
                       ::renameat(at.get(), draft.c_str(), at.get(), name.c_str()) == 0;
  if (!written) {
    auto failure = outbox_error(folder + "/" + name);
    ::unlinkat(at.get(), draft.c_str(), 0);
    return failure;
  }
  return ::fsync(at.get()) == 0 ? Result<void>{} : outbox_error(folder);
}

}  // namespace millrace::tasks
