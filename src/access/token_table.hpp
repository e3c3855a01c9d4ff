#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "access/token.hpp"

namespace millrace::access {

/// The tokens a server accepts, as digests. Immutable once read; share it between threads freely.
///
/// A line is `name:role[,role]:sha256-hex`. Blank lines and lines that start with `#` mean nothing, and spaces around a
/// part neither. A name stands once: to exchange a token without a gap, add `name-2`, change the clients, remove
/// `name`.
class TokenTable {
 public:
  /// Errors: invalid_argument naming each bad line, `line 3: unknown role 'root'; …`. A table is read whole or not at
  /// all. It may be empty: then nobody has a token.
  static Result<TokenTable> parse(std::string_view text);

  /// Whose token this is, or null. Compares with every entry, in a time that depends on their number only.
  const Identity* find(std::string_view token) const;

  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    Identity identity;
    Digest digest;
  };
  static Result<Entry> parse_line(std::string_view line);
  Result<void> add(Entry entry);

  std::vector<Entry> entries_;
};

}  // namespace millrace::access
