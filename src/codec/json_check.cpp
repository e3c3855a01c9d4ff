#include "codec/json_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>

namespace millrace::codec {
namespace {

namespace json = boost::json;

/// Watches the parser for what it does not refuse itself: keys that come twice and numbers out of range.
///
/// Small objects compare each new key with the earlier ones; large ones sort theirs once, at the end, so that no
/// choice of keys costs more than n log n.
class Handler {
 public:
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;

  explicit Handler(std::string_view text) : text_(text) {}
  const char* complaint() const noexcept { return complaint_; }

  bool on_object_begin(json::error_code&) { return objects_.push_back(keys_.size()), true; }
  bool on_object_end(std::size_t, json::error_code& error) {
    const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(objects_.back());
    if (keys_.end() - first > few_keys && has_twins(first)) return refuse("a key comes twice in one object", error);
    keys_.erase(first, keys_.end());
    objects_.pop_back();
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return parts_.append(part), true; }
  bool on_key(json::string_view last, std::size_t, json::error_code& error) {
    std::string_view key(last.data(), last.size());
    if (!parts_.empty() || !inside_text(key)) {
      key = decoded_.emplace_back(std::move(parts_.append(last)));
      parts_.clear();
    }
    const auto count = keys_.size() - objects_.back();
    if (count < few_keys)
      for (std::size_t i = objects_.back(); i < keys_.size(); ++i)
        if (keys_[i] == key) return refuse("a key comes twice in one object", error);
    keys_.push_back(key);
    return true;
  }
  bool on_double(double value, json::string_view, json::error_code& error) {
    return std::isfinite(value) || refuse("a number is out of range", error);
  }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  static constexpr std::ptrdiff_t few_keys = 24;
  using Keys = std::vector<std::string_view>;

  bool has_twins(Keys::iterator first) {
    std::sort(first, keys_.end(), [](std::string_view a, std::string_view b) {
      return a.size() != b.size() ? a.size() < b.size() : std::memcmp(a.data(), b.data(), a.size()) < 0;
    });
    return std::adjacent_find(first, keys_.end()) != keys_.end();
  }
  /// A key without escapes is a view into the text; the parser decodes others into a buffer that it uses again.
  bool inside_text(std::string_view key) const {
    return std::less_equal<>{}(text_.data(), key.data()) &&
           std::less_equal<>{}(key.data() + key.size(), text_.data() + text_.size());
  }
  bool refuse(const char* complaint, json::error_code& error) {
    complaint_ = complaint;
    error = json::error::syntax;
    return false;
  }

  std::string_view text_;
  const char* complaint_ = nullptr;
  std::vector<std::size_t> objects_;  // for each open object, where its keys begin
  Keys keys_;
  std::string parts_;
  std::deque<std::string> decoded_;
};

std::string explain(const Handler& handler, const json::error_code& error) {
  if (handler.complaint() != nullptr) return handler.complaint();
  if (error == json::error::too_deep) return "it nests too deep";
  if (error == json::error::incomplete) return "it ends too early";
  if (error == json::error::extra_data) return "something follows the value";
  return error.message();
}

}  // namespace

Result<void> check_json(std::string_view text, std::size_t depth_max) {
  json::parse_options options;
  options.max_depth = depth_max;
  json::basic_parser<Handler> parser(options, text);
  json::error_code error;
  const auto size = parser.write_some(false, text.data(), text.size(), error);
  if (!error && size < text.size()) error = json::error::extra_data;
  if (!error) return {};
  return Error{ErrorCode::malformed,
               "not JSON: " + explain(parser.handler(), error) + ", at byte " + std::to_string(size)};
}

}  // namespace millrace::codec
