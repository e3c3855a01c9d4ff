#include "banner.hpp"

#include "base/redact.hpp"

namespace millrace::app {
namespace {

std::string_view meaning_of(Durability durability) {
  switch (durability) {
    case Durability::memory:
      return "an answer survives nothing: tasks are gone when this process ends";
    case Durability::process:
      return "an answer survives a crash of this process, not of the machine";
    case Durability::disk:
      return "an answer survives power loss";
    case Durability::replicated:
      return "an answer is on another machine too";
    case Durability::quorum:
      return "an answer is on most machines";
  }
  return {};
}

void line(std::string& text, std::string_view word, std::string_view value) {
  text.append("  ").append(word).append(12 - std::min<std::size_t>(word.size(), 11), ' ').append(value).append("\n");
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

std::string workers_text(const settings::Settings& settings) {
  if (settings.workers == 0) return "none in this process";
  return std::to_string(settings.workers) + (settings.workers == 1 ? " slot" : " slots") +
         (settings.workers_inline ? " in this process" : " in a supervised child process");
}

/// A bind that the whole network can use without a token or in clear text is not a line among others.
std::string alarm(const std::vector<std::string>& warnings) {
  std::string text;
  for (const auto& warning : warnings) {
    if (warning.find("(insecure_bind)") == std::string::npos) continue;
    if (text.empty()) text = "\n  ************************ OPEN TO THE NETWORK ************************\n";
    text.append("  * ").append(warning).append("\n");
  }
  if (!text.empty())
    text.append(
        "  * Everybody who reaches this address can submit, read and delete tasks.\n"
        "  *********************************************************************\n");
  return text;
}

}  // namespace

std::string banner(Serving& serving, const settings::Resolution& resolution) {
  const auto& settings = resolution.settings;
  const auto guarantees = serving.broker().broker->guarantees();
  const auto& broker = resolution.at("broker");
  const auto urls = serving.urls();

  std::string text("millrace " MILLRACE_VERSION "\n");
  line(text, "broker", broker.shown + " (from " + broker.origin + ")");
  if (resolution.given("ledger")) {
    const auto& ledger = resolution.at("ledger");
    line(text, "ledger", ledger.shown + " (from " + ledger.origin + ")");
  }
  line(text, "durability",
       std::string(to_string(guarantees.durability)).append(": ").append(meaning_of(guarantees.durability)));
  line(text, "data", serving.broker().data);
  line(text, "workers", workers_text(settings));
  line(text, "dialects", joined(settings.dialects));
  line(text, "tokens",
       serving.front().has_tokens() ? settings.token_file
                                    : "none: everybody on this machine may do everything but exec and http_request");
  for (const auto& url : urls) line(text, "listen", url);
  if (!urls.front().starts_with("unix:")) line(text, "API docs", urls.front() + "/docs");
  for (const auto& degradation : guarantees.degradations) line(text, "degraded", degradation);
  for (const auto& warning : serving.front().warnings()) line(text, "warning", warning);
  text.append(alarm(resolution.warnings));
  return text;
}

}  // namespace millrace::app
