#include "tasks/media_type.hpp"

#include <algorithm>

namespace millrace::tasks {
namespace {

struct Signature {
  std::string_view bytes;
  std::string_view type;
};

using namespace std::string_view_literals;

constexpr Signature signatures[] = {
    {"\x89PNG\r\n\x1a\n"sv, "image/png"},
    {"\xff\xd8\xff"sv, "image/jpeg"},
    {"GIF87a"sv, "image/gif"},
    {"GIF89a"sv, "image/gif"},
    {"%PDF-"sv, "application/pdf"},
    {"PK\x03\x04"sv, "application/zip"},
    {"PK\x05\x06"sv, "application/zip"},
    {"\x1f\x8b"sv, "application/gzip"},
    {"\x28\xb5\x2f\xfd"sv, "application/zstd"},
    {"BZh"sv, "application/x-bzip2"},
    {"\xfd"
     "7zXZ\0"sv,
     "application/x-xz"},
    {"\x7f"
     "ELF"sv,
     "application/x-elf"},
    {"SQLite format 3\0"sv, "application/vnd.sqlite3"},
    {"OggS"sv, "application/ogg"},
    {"ID3"sv, "audio/mpeg"},
};

constexpr Signature text_extensions[] = {
    {".json", "application/json"},
    {".csv", "text/csv; charset=utf-8"},
    {".tsv", "text/tab-separated-values; charset=utf-8"},
    {".html", "text/html; charset=utf-8"},
    {".htm", "text/html; charset=utf-8"},
    {".xml", "application/xml"},
    {".svg", "image/svg+xml"},
    {".md", "text/markdown; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".yaml", "application/yaml"},
    {".yml", "application/yaml"},
    {".toml", "application/toml"},
};

bool ends_with_ignoring_case(std::string_view name, std::string_view extension) noexcept {
  if (name.size() < extension.size()) return false;
  return std::ranges::equal(name.substr(name.size() - extension.size()), extension, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
}

}  // namespace

std::string_view media_type(std::string_view name, std::string_view head, bool is_text) noexcept {
  for (const auto& [bytes, type] : signatures)
    if (head.starts_with(bytes)) return type;
  if (head.size() >= 12 && head.starts_with("RIFF") && head.substr(8, 4) == "WEBP") return "image/webp";
  if (head.size() >= 12 && head.substr(4, 4) == "ftyp") return "video/mp4";
  if (!is_text) return "application/octet-stream";
  for (const auto& [extension, type] : text_extensions)
    if (ends_with_ignoring_case(name, extension)) return type;
  return "text/plain; charset=utf-8";
}

}  // namespace millrace::tasks
