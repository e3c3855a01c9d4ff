#include "access/token_table.hpp"

#include <array>

#include <openssl/crypto.h>

#include <millrace/names.hpp>

namespace millrace::access {
namespace {

/// Bad lines told at once; a file that is something else entirely has thousands.
constexpr std::size_t problems_max = 10;

std::string_view trimmed(std::string_view text) noexcept {
  const auto begin = text.find_first_not_of(" \t\r");
  return begin == std::string_view::npos ? std::string_view{}
                                         : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// Cuts the part before `separator` off `text`; all of it when there is none.
std::string_view take_part(std::string_view& text, char separator) noexcept {
  const auto end = text.find(separator);
  const auto part = trimmed(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

Error bad(std::string detail) { return {ErrorCode::invalid_argument, std::move(detail), {}}; }

/// A word of the file in a message: the file may hold a secret in the wrong place, so only what looks like a name is
/// shown.
std::string quoted(std::string_view word) {
  return word.size() <= 32 && valid_name(word) && !word.starts_with("mrt_") ? " '" + std::string(word) + "'"
                                                                            : std::string();
}

Result<PermissionSet> parse_roles(std::string_view text) {
  std::vector<Role> roles;
  do {
    const auto word = take_part(text, ',');
    const auto role = parse_role(word);
    if (!role) return bad("unknown role" + quoted(word) + "; roles are " + role_names());
    roles.push_back(*role);
  } while (!text.empty());
  return permissions_of(roles);
}

}  // namespace

Result<TokenTable::Entry> TokenTable::parse_line(std::string_view line) {
  if (std::count(line.begin(), line.end(), ':') != 2) return bad("expected name:role[,role]:sha256-hex");
  const auto name = take_part(line, ':');
  if (!valid_name(name)) return bad("a name is 1 to 128 of A-Z a-z 0-9 . _ -, first a letter or digit");
  auto permissions = parse_roles(take_part(line, ':'));
  if (!permissions) return std::move(permissions).error();
  const auto digest = parse_digest(trimmed(line));
  if (!digest) return bad("the last part is the token's SHA-256, 64 hexadecimal digits (see `millrace token create`)");
  return Entry{{std::string(name), *permissions}, *digest};
}

Result<void> TokenTable::add(Entry entry) {
  for (const auto& other : entries_) {
    if (other.identity.name == entry.identity.name) return bad("the name '" + entry.identity.name + "' stands twice");
    if (other.digest == entry.digest) return bad("the same token as '" + other.identity.name + "'");
  }
  entries_.push_back(std::move(entry));
  return {};
}

Result<TokenTable> TokenTable::parse(std::string_view text) {
  TokenTable table;
  std::string problems;
  std::size_t problem_count = 0;
  const auto report = [&](std::size_t number, const Error& error) {
    if (++problem_count > problems_max) return;
    problems.append(problems.empty() ? "" : "; ").append("line " + std::to_string(number) + ": " + error.detail);
  };
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = take_part(text, '\n');
    if (line.empty() || line.front() == '#') continue;
    auto entry = parse_line(line);
    if (!entry) {
      report(number, entry.error());
    } else if (const auto added = table.add(*std::move(entry)); !added) {
      report(number, added.error());
    }
  }
  if (problem_count > problems_max) {
    problems.append("; and " + std::to_string(problem_count - problems_max) + " more bad lines");
  }
  if (problem_count > 0) return bad(std::move(problems));
  return table;
}

const Identity* TokenTable::find(std::string_view token) const {
  const auto digest = digest_of(token);
  std::size_t found = 0;  // index + 1; digests are unique, so at most one matches
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto differs =
        static_cast<std::size_t>(CRYPTO_memcmp(digest.data(), entries_[i].digest.data(), digest.size()) != 0);
    found |= (differs - 1) & (i + 1);
  }
  return found == 0 ? nullptr : &entries_[found - 1].identity;
}

}  // namespace millrace::access
