#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <millrace/result.hpp>

namespace millrace {

/// A broker's URL in its parts: `file:./data?durability=process` is scheme `file`, address `./data` and one option.
struct BrokerUrl {
  std::string text = {};     // as it was given
  std::string scheme = {};   // in lower case
  std::string address = {};  // what follows `scheme:`, without the query; not decoded
  std::vector<std::pair<std::string, std::string>> options = {};  // of the query, decoded, in order

  /// The value of an option, empty if there is none.
  std::string_view option(std::string_view name) const noexcept;
  /// Errors: invalid_argument naming the first option that is none of `known`.
  [[nodiscard]] Result<void> only_options(std::initializer_list<std::string_view> known) const;
};

/// Errors: invalid_argument (no scheme, a broken escape).
[[nodiscard]] Result<BrokerUrl> parse_broker_url(std::string_view text);

}  // namespace millrace
