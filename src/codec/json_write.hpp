#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include <millrace/task.hpp>

namespace millrace::codec {

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so that an answer is
/// always JSON, whatever a back end stored.
void append_string(std::string& out, std::string_view text);

template <std::integral Number>
void append_number(std::string& out, Number value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}
/// The shortest text that reads back as the same double.
void append_number(std::string& out, double value);
inline void append_bool(std::string& out, bool value) { out.append(value ? "true" : "false"); }
/// Appends `{"key":"value",…}` in order.
void append_map(std::string& out, const StringMap& map);

/// Writes the members of one object: puts the braces, commas and quoted keys. Keys are ours and need no escaping.
///
/// Ownership: appends to a string that outlives it. The object ends with the writer.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_.push_back('{'); }
  ~ObjectWriter() { out_.push_back('}'); }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  /// Appends the key; the caller appends the value to the returned text.
  std::string& key(std::string_view name) {
    out_.append(first_ ? "\"" : ",\"");
    first_ = false;
    return out_.append(name).append("\":");
  }
  /// Where the object goes, for a value that is written piece by piece after `key`.
  std::string& out() noexcept { return out_; }
  void text(std::string_view name, std::string_view value) { append_string(key(name), value); }
  void number(std::string_view name, auto value) { append_number(key(name), value); }
  void boolean(std::string_view name, bool value) { append_bool(key(name), value); }
  void null(std::string_view name) { key(name).append("null"); }
  /// `json` is a value already written.
  void raw(std::string_view name, std::string_view json) { key(name).append(json); }
  void time(std::string_view name, WallTime value);
  void seconds(std::string_view name, Milliseconds value);

 private:
  std::string& out_;
  bool first_ = true;
};

/// Appends `[…]`, each item by `write(item)`.
template <class List, class Write>
void append_list(std::string& out, const List& list, Write&& write) {
  out.push_back('[');
  bool first = true;
  for (const auto& item : list) {
    if (!first) out.push_back(',');
    first = false;
    write(item);
  }
  out.push_back(']');
}

}  // namespace millrace::codec
