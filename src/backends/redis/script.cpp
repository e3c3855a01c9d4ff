#include "backends/redis/script.hpp"

#include <array>
#include <utility>

#include <openssl/evp.h>

#include "backends/redis/failure.hpp"

namespace millrace::redis {
namespace {

std::string sha1(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex.push_back(digits[digest[i] >> 4]);
    hex.push_back(digits[digest[i] & 15]);
  }
  return hex;
}

Command with(Command command, const ScriptCall& call) {
  command.add(call.keys.size());
  for (const auto& key : call.keys) command.add(key);
  for (const auto& argument : call.arguments) command.add(argument);
  return command;
}

/// A script that is flushed between being taught and being called is rare; three times in a row is somebody's loop.
constexpr int lessons_max = 3;

void attempt(std::shared_ptr<Connection> connection, const Script& script, ScriptCall call, int lesson,
             Connection::Answer answer) {
  auto& target = *connection;
  if (lesson > lessons_max) return target.call(with(Command("EVAL", script.source()), call), std::move(answer));
  // Loaded scripts stay; those that came by EVAL are forgotten first when a server has many (since 7.4).
  if (lesson > 0) target.call(Command("SCRIPT", "LOAD", script.source()), [](const Result<Reply>&) {});
  auto command = with(Command("EVALSHA", script.hash()), call);
  target.call(std::move(command), [connection = std::move(connection), &script, call = std::move(call), lesson,
                                   answer = std::move(answer)](Result<Reply> reply) mutable {
    if (!reply || code_of(*reply) != "NOSCRIPT") return answer(std::move(reply));
    attempt(std::move(connection), script, std::move(call), lesson + 1, std::move(answer));
  });
}

}  // namespace

Script::Script(std::string source) : source_(std::move(source)), hash_(sha1(source_)) {}

void run(const std::shared_ptr<Connection>& connection, const Script& script, ScriptCall call,
         Connection::Answer answer) {
  attempt(connection, script, std::move(call), 0, std::move(answer));
}

}  // namespace millrace::redis
