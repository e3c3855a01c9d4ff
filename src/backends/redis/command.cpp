#include "backends/redis/command.hpp"

#include <memory>
#include <new>

#include <hiredis/hiredis.h>

namespace millrace::redis {

void Command::append_to(std::string& out) const {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words_.size());
  sizes.reserve(words_.size());
  for (const auto& word : words_) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* made = nullptr;
  const auto size = redisFormatCommandArgv(&made, static_cast<int>(words_.size()), texts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  const std::unique_ptr<char, decltype(&redisFreeCommand)> formatted(made, &redisFreeCommand);
  out.append(formatted.get(), static_cast<std::size_t>(size));
}

}  // namespace millrace::redis
