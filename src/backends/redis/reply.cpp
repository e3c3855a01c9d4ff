#include "backends/redis/reply.hpp"

#include <new>

#include <hiredis/hiredis.h>

namespace millrace::redis {
namespace {

Reply::Kind kind_of(int type) noexcept {
  switch (type) {
    case REDIS_REPLY_STRING:
      return Reply::Kind::text;
    case REDIS_REPLY_ARRAY:
      return Reply::Kind::array;
    case REDIS_REPLY_INTEGER:
      return Reply::Kind::integer;
    case REDIS_REPLY_STATUS:
      return Reply::Kind::status;
    case REDIS_REPLY_ERROR:
      return Reply::Kind::error;
    default:
      return Reply::Kind::nil;
  }
}

Reply owned(const redisReply& from) {
  Reply reply;
  reply.kind = kind_of(from.type);
  reply.integer = from.integer;
  if (from.str != nullptr) reply.text.assign(from.str, static_cast<std::size_t>(from.len));
  reply.elements.reserve(from.elements);
  for (std::size_t i = 0; i < from.elements; ++i) reply.elements.push_back(owned(*from.element[i]));
  return reply;
}

}  // namespace

void ReplyReader::Free::operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }

ReplyReader::ReplyReader() : reader_(redisReaderCreate()) {
  if (!reader_) throw std::bad_alloc();
}

void ReplyReader::feed(std::string_view bytes) { redisReaderFeed(reader_.get(), bytes.data(), bytes.size()); }

Result<std::optional<Reply>> ReplyReader::next() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK)
    return Error{ErrorCode::durability_unknown, std::string("the server does not speak Redis: ") + reader_->errstr};
  if (raw == nullptr) return std::optional<Reply>();
  const std::unique_ptr<void, decltype(&freeReplyObject)> found(raw, &freeReplyObject);
  return std::optional<Reply>(owned(*static_cast<const redisReply*>(raw)));
}

}  // namespace millrace::redis
