#include "net/http.hpp"

#include <algorithm>
#include <array>

#include "net/problem.hpp"
#include "net/target.hpp"
#include "net/text.hpp"

namespace millrace::http {
namespace {

constexpr std::array<std::pair<std::string_view, Method>, 7> method_names{{{"GET", Method::get},
                                                                           {"POST", Method::post},
                                                                           {"HEAD", Method::head},
                                                                           {"PUT", Method::put},
                                                                           {"PATCH", Method::patch},
                                                                           {"DELETE", Method::delete_},
                                                                           {"OPTIONS", Method::options}}};

/// Takes the next `name: value` line off `fields`; false at the end or at the empty line.
bool next_field(std::string_view& fields, std::string_view& name, std::string_view& value) noexcept {
  const auto end = fields.find("\r\n");
  const auto line = fields.substr(0, end);
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  name = line.substr(0, colon);
  value = trimmed(line.substr(colon + 1));
  fields.remove_prefix(end == std::string_view::npos ? fields.size() : end + 2);
  return true;
}

class CallbackSink final : public ResponseSink {
 public:
  explicit CallbackSink(UniqueFunction<void(Response)> callback) : callback_(std::move(callback)) {}
  void deliver(std::uint64_t, Response response) override { callback_(std::move(response)); }

 private:
  UniqueFunction<void(Response)> callback_;
};

}  // namespace

std::string_view to_text(Method method) noexcept {
  for (const auto& [name, value] : method_names) {
    if (value == method) return name;
  }
  return {};
}

Method method_of(std::string_view text) noexcept {
  for (const auto& [name, value] : method_names) {
    if (name == text) return value;
  }
  return Method::other;
}

bool is_safe(Method method) noexcept {
  return method == Method::get || method == Method::head || method == Method::options;
}

bool ConnectionWatch::gone() const {
  const std::lock_guard lock{mutex_};
  return gone_;
}

void ConnectionWatch::on_gone(UniqueFunction<void()> callback) {
  {
    const std::lock_guard lock{mutex_};
    if (!gone_) {
      std::swap(callback_, callback);
      return;
    }
  }
  callback();
}

void ConnectionWatch::forget() {
  UniqueFunction<void()> dropped;  // destroyed after the lock
  const std::lock_guard lock{mutex_};
  std::swap(callback_, dropped);
}

void ConnectionWatch::mark_gone() {
  UniqueFunction<void()> callback;
  {
    const std::lock_guard lock{mutex_};
    gone_ = true;
    std::swap(callback_, callback);
  }
  if (callback) callback();
}

Request::Request(std::string_view method_name, std::string_view target, std::string_view fields, std::string content)
    : method(method_of(method_name)),
      body(std::move(content)),
      watch(std::make_shared<ConnectionWatch>(Peer{"127.0.0.1:0", true, false, false})) {
  head_.append(method_name).append(" ").append(target).append(" HTTP/1.1\r\n");
  method_size_ = static_cast<std::uint32_t>(method_name.size());
  target_at_ = method_size_ + 1;
  target_size_ = static_cast<std::uint32_t>(target.size());
  fields_at_ = static_cast<std::uint32_t>(head_.size());
  head_.append(fields).append("\r\n");
}

const Peer& Request::peer() const noexcept {
  static const Peer nobody;
  return watch ? watch->peer() : nobody;
}

std::string_view Request::path() const noexcept {
  const auto whole = target();
  return whole.substr(0, whole.find('?'));
}

std::string_view Request::query() const noexcept {
  const auto whole = target();
  const auto mark = whole.find('?');
  return mark == std::string_view::npos ? std::string_view{} : whole.substr(mark + 1);
}

std::vector<std::string> Request::path_segments() const { return decode_segments(path()); }

std::optional<std::string> Request::query_value(std::string_view name) const {
  QueryReader reader{query()};
  while (auto pair = reader.next()) {
    if (pair->first == name) return std::move(pair->second);
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> Request::query_values() const {
  std::vector<std::pair<std::string, std::string>> values;
  QueryReader reader{query()};
  while (auto pair = reader.next()) values.push_back(std::move(*pair));
  return values;
}

std::optional<std::string_view> Request::find_header(std::string_view name) const noexcept {
  auto fields = std::string_view{head_}.substr(fields_at_);
  std::string_view found, value;
  while (next_field(fields, found, value)) {
    if (equals_ignoring_case(found, name)) return value;
  }
  return std::nullopt;
}

std::string_view Request::header(std::string_view name) const noexcept {
  return find_header(name).value_or(std::string_view{});
}

std::vector<std::pair<std::string_view, std::string_view>> Request::headers() const {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  auto fields = std::string_view{head_}.substr(fields_at_);
  std::string_view name, value;
  while (next_field(fields, name, value)) all.emplace_back(name, value);
  return all;
}

Response& Response::add_header(std::string_view name, std::string_view value) & {
  fields.reserve(fields.size() + name.size() + value.size() + 4);
  fields.append(name).append(": ");
  for (const char c : value) fields.push_back(is_control(c) ? ' ' : c);
  fields.append("\r\n");
  return *this;
}

Response&& Response::add_header(std::string_view name, std::string_view value) && {
  add_header(name, value);
  return std::move(*this);
}

std::string_view Response::header(std::string_view name) const noexcept {
  std::string_view rest{fields}, found, value;
  while (next_field(rest, found, value)) {
    if (equals_ignoring_case(found, name)) return value;
  }
  return {};
}

Responder::Responder(UniqueFunction<void(Response)> callback)
    : sink_(std::make_shared<CallbackSink>(std::move(callback))) {}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    Responder dropped{std::move(*this)};  // answers 500 if it was not used
    sink_ = std::move(other.sink_);
    ticket_ = other.ticket_;
  }
  return *this;
}

Responder::~Responder() {
  if (sink_) (*this)(problem(ErrorCode::internal, "the request was dropped without an answer"));
}

void Responder::operator()(Response response) {
  if (const auto sink = std::move(sink_)) sink->deliver(ticket_, std::move(response));
}

}  // namespace millrace::http
