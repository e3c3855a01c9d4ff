#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace millrace::redis {

/// One command, its name first. Arguments are any bytes.
class Command {
 public:
  template <class... Words>
  explicit Command(Words&&... words) {
    words_.reserve(sizeof...(words));
    (add(std::forward<Words>(words)), ...);
  }

  Command& add(std::string word) {
    words_.push_back(std::move(word));
    return *this;
  }
  Command& add(std::string_view word) { return add(std::string(word)); }
  Command& add(const char* word) { return add(std::string(word)); }
  template <class Number>
  requires std::is_integral_v<Number> Command& add(Number number) { return add(std::to_string(number)); }

  const std::vector<std::string>& words() const noexcept { return words_; }
  /// Appends the command as the protocol wants it.
  void append_to(std::string& out) const;

 private:
  std::vector<std::string> words_;
};

}  // namespace millrace::redis
