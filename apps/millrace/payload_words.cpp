#include "payload_words.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <millrace/json.hpp>

namespace millrace::app {
namespace {

Error bad_word(const std::string& word, std::string_view why) {
  return {ErrorCode::invalid_argument, "'" + word + "': " + std::string(why), "payload"};
}

/// The payload while it is built: a text as it came, until a member is added to it.
struct Payload {
  std::string text = "{}";
  Json value = Json::object();

  Result<void> replace(const std::string& word, std::string from) {
    auto parsed = Json::parse(from);
    if (!parsed) return bad_word(word, "is not JSON: " + parsed.error().detail);
    text = std::move(from);
    value = *std::move(parsed);
    return {};
  }
  Result<void> add(const std::string& word, const std::string& name, Json member) {
    if (name.empty()) return bad_word(word, "the member's name is missing");
    if (!value.is_object()) return bad_word(word, "members can only be added to a JSON object");
    value[name] = std::move(member);
    text = value.dump();
    return {};
  }
};

Result<void> take(const std::string& word, const ReadInput& read, Payload& payload) {
  if (word == "-" || word.starts_with('@')) {
    auto text = read(word == "-" ? word : word.substr(1));
    if (!text) return std::move(text).error();
    return payload.replace(word, *std::move(text));
  }
  const auto equals = word.find('=');
  if (equals == std::string::npos) return bad_word(word, "expected name=text, name:=json, @file or -");
  if (equals == 0 || word[equals - 1] != ':')
    return payload.add(word, word.substr(0, equals), Json(word.substr(equals + 1)));
  auto parsed = Json::parse(std::string_view(word).substr(equals + 1));
  if (!parsed) return bad_word(word, "what follows := is not JSON: " + parsed.error().detail);
  return payload.add(word, word.substr(0, equals - 1), *std::move(parsed));
}

}  // namespace

Result<std::string> payload_of(std::span<const std::string> words, const ReadInput& read) {
  Payload payload;
  for (const auto& word : words)
    if (auto taken = take(word, read, payload); !taken) return std::move(taken).error();
  return std::move(payload.text);
}

Result<std::string> read_input(const std::string& path) {
  const auto failed = [&] {
    return Error{ErrorCode::not_found, "cannot read " + path + ": " + std::strerror(errno), "payload"};
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(path == "-" ? nullptr : std::fopen(path.c_str(), "re"),
                                                               std::fclose);
  if (path != "-" && !opened) return failed();
  std::FILE* file = opened ? opened.get() : stdin;
  std::string text;
  char buffer[16 * 1024];
  while (const auto size = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, size);
  if (std::ferror(file) != 0) return failed();
  return text;
}

}  // namespace millrace::app
