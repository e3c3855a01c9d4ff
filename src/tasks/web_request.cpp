#include "tasks/web_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "tasks/address_policy.hpp"
#include "tasks/text_check.hpp"
#include "tasks/transfer.hpp"

namespace millrace::tasks {
namespace {

constexpr std::array<std::string_view, 6> methods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
/// Framing and connection are ours; the host is the URL's.
constexpr std::array<std::string_view, 11> reserved_headers{
    "host", "content-length", "transfer-encoding",   "connection",      "keep-alive", "upgrade", "trailer",
    "te",   "expect",         "proxy-authorization", "proxy-connection"};
constexpr std::size_t headers_max = 64;
constexpr std::size_t header_value_max = 4096;
constexpr std::size_t url_bytes_max = 4096;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

Error invalid(std::string field, std::string detail) {
  return {ErrorCode::invalid_argument, std::move(detail), std::move(field)};
}

/// One part of a URL, decoded by nothing; nothing if it has none.
std::optional<std::string> part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string out(text);
  curl_free(text);
  return out;
}

struct Target {
  CurlUrl url;
  const AllowedHost* entry = nullptr;
};

/// The parser that decides is the one that connects, so both see the same host.
Result<Target> find_target(const std::string& text, const std::vector<AllowedHost>& hosts) {
  if (text.size() > url_bytes_max) return invalid("url", "at most 4096 bytes");
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '\\'; }))
    return invalid("url", "blanks, control characters and backslashes are not allowed");
  Target target{CurlUrl{curl_url()}, nullptr};
  if (!target.url) return Error{ErrorCode::unavailable, "no memory"};
  if (const auto error = curl_url_set(target.url.get(), CURLUPART_URL, text.c_str(), 0); error != CURLUE_OK)
    return invalid("url", std::string("not a URL: ") + curl_url_strerror(error));
  const auto scheme = part(target.url.get(), CURLUPART_SCHEME).value_or("");
  if (scheme != "http" && scheme != "https") return invalid("url", "only http and https, not " + printable(scheme, 40));
  if (part(target.url.get(), CURLUPART_USER) || part(target.url.get(), CURLUPART_PASSWORD))
    return invalid("url", "a user or password does not belong into a URL: send an Authorization header");
  if (part(target.url.get(), CURLUPART_ZONEID))
    return Error{ErrorCode::forbidden, "an address with a zone is link-local", "url"};
  const auto host = part(target.url.get(), CURLUPART_HOST).value_or("");
  const auto port_text = part(target.url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT).value_or("");
  std::uint16_t port = 0;
  std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  target.entry = find_allowed_host(hosts, host, port, scheme == "http" ? 80 : 443);
  if (target.entry == nullptr)
    return Error{ErrorCode::forbidden,
                 "host \"" + printable(host) + "\" with port " + port_text + " is not allow-listed", "url"};
  return target;
}

Result<void> check_request(const WebRequest& request, const WebLimits& limits) {
  if (std::ranges::find(methods, request.method) == methods.end())
    return invalid("method", "one of GET, HEAD, POST, PUT, PATCH, DELETE, not " + printable(request.method, 40));
  if (request.headers.size() > headers_max) return invalid("headers", "at most 64");
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return invalid("headers", "not a header name: " + printable(name, 80));
    if (!single_line(value)) return invalid("headers." + name, "control characters are not allowed in a header");
    if (value.size() > header_value_max) return invalid("headers." + name, "at most 4096 bytes");
    if (std::ranges::find(reserved_headers, lower(name)) != reserved_headers.end())
      return invalid("headers." + name, "this header is set by the client itself");
  }
  if (!request.body.empty() && (request.method == "GET" || request.method == "HEAD"))
    return invalid("body", "a " + request.method + " request has none");
  if (request.body.size() > limits.body_bytes_max)
    return Error{ErrorCode::too_large, "the body has more than " + std::to_string(limits.body_bytes_max) + " bytes",
                 "body"};
  return {};
}

/// What the callbacks of one transfer see.
struct Transfer {
  const WebLimits& limits;
  bool private_addresses = false;
  std::string_view refused_address = {};  // the kind of the first one that was refused
  bool too_large = false;
  std::size_t header_bytes = 0;
  WebResponse response = {};
};

curl_socket_t open_socket(void* context, curlsocktype purpose, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
  if (!transfer.private_addresses && transfer.refused_address.empty())
    transfer.refused_address = refused_range(address->addr);
  if (!transfer.refused_address.empty()) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t take_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.response.body.size() + size > transfer.limits.response_bytes_max) {
    transfer.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  transfer.response.body.append(data, size);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.header_bytes += size;
  if (transfer.header_bytes > transfer.limits.header_bytes_max) {
    transfer.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  std::string_view line(data, size);
  if (line.starts_with("HTTP/")) transfer.response.headers.clear();  // an answer of 1xx came before
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  auto value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && static_cast<unsigned char>(value.back()) <= ' ') value.remove_suffix(1);
  transfer.response.headers.emplace_back(lower(line.substr(0, colon)), value);
  return size;
}

bool add_headers(CurlList& list, const WebRequest& request) {
  bool has_type = false;
  for (const auto& [name, value] : request.headers) {
    has_type = has_type || lower(name) == "content-type";
    // libcurl drops a header without a value, unless it ends with a semicolon.
    if (!append(list, value.empty() ? name + ";" : name + ": " + value)) return false;
  }
  return append(list, "Expect:") &&
         (has_type || request.body.empty() || append(list, "Content-Type: application/json"));
}

void set_method(CURL* handle, const WebRequest& request) {
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  } else if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

Error transfer_error(CURLcode code, const Transfer& transfer, const char* message) {
  if (!transfer.refused_address.empty())
    return {ErrorCode::forbidden,
            "the host has an address that is not public (" + std::string(transfer.refused_address) + ")", "url"};
  if (transfer.too_large) return {ErrorCode::too_large, "the answer is larger than its limit"};
  const std::string detail = message[0] != '\0' ? printable(message) : curl_easy_strerror(code);
  if (code == CURLE_OPERATION_TIMEDOUT) return {ErrorCode::timed_out, detail};
  if (code == CURLE_ABORTED_BY_CALLBACK) return {ErrorCode::unavailable, "stopped"};
  return {ErrorCode::unavailable, detail};
}

}  // namespace

Result<WebResponse> send_web_request(const WebRequest& request, const std::vector<AllowedHost>& hosts,
                                     const WebLimits& limits, std::stop_token stop) {
  if (auto checked = check_request(request, limits); !checked) return std::move(checked).error();
  auto target = find_target(request.url, hosts);
  if (!target) return std::move(target).error();

  const CurlEasy handle = new_transfer();
  CurlList headers;
  if (!handle || !add_headers(headers, request)) return Error{ErrorCode::unavailable, "no memory"};
  Transfer transfer{.limits = limits, .private_addresses = target->entry->private_addresses};
  char message[CURL_ERROR_SIZE] = "";
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_CURLU, target->url.get());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "millrace");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect_time.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.time.count()));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  set_method(curl, request);

  const CURLcode code = run_transfer(curl, limits.time, std::move(stop));
  if (code != CURLE_OK) return transfer_error(code, transfer, message);
  long status = 0;
  char* address = nullptr;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &address);
  transfer.response.status = static_cast<int>(status);
  if (address != nullptr) transfer.response.address = address;
  return std::move(transfer.response);
}

}  // namespace millrace::tasks
