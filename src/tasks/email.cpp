#include <algorithm>
#include <chrono>

#include "tasks/handlers.hpp"
#include "tasks/mail_delivery.hpp"
#include "tasks/mail_message.hpp"
#include "tasks/text_check.hpp"

namespace millrace::tasks {
namespace {

std::vector<std::string> recipients_of(const Json& payload) {
  const Json* to = first_member(payload, {"to", "recipient"});
  if (to == nullptr) throw InvalidPayload("payload.to: a recipient is needed");
  if (const auto* one = to->if_string()) return {*one};
  std::vector<std::string> all;
  if (const auto* list = to->if_array())
    for (const auto& item : *list)
      if (const auto* text = item.if_string()) all.push_back(*text);
  if (all.empty() || all.size() != to->size())
    throw InvalidPayload("payload.to: a string or a list of strings is needed");
  return all;
}

/// Once mail leaves this machine, nobody who can submit a task may write to the whole world.
void check_domains(const std::vector<std::string>& recipients, const std::vector<std::string>& domains) {
  for (const auto& address : recipients) {
    const auto domain = mail_domain(address);
    if (std::ranges::find(domains, "*") == domains.end() && std::ranges::find(domains, domain) == domains.end())
      throw Permanent("recipients at \"" + printable(domain) + "\" are not allow-listed (smtp_recipient_domains)",
                      "recipient_not_allowed");
  }
}

}  // namespace

/// `send_email`, `email`, `email_sending`: `to` or `recipient` (text or list), `subject`, `body`.
JsonHandler email_task(const BuiltinOptions& options) {
  const MailServer server{.url = options.smtp_url, .ca_file = options.smtp_ca_file, .time = options.limits.smtp_time};
  auto domains = options.smtp_recipient_domains;
  for (auto& domain : domains) domain = mail_domain("@" + domain);
  return
      [server, domains, from = options.smtp_from, outbox = options.outbox_dir](const Json& payload, Context& context) {
        Mail mail;
        mail.from = from;
        mail.to = recipients_of(payload);
        mail.subject = text_member(payload, "subject", mail.subject);
        mail.body = text_member(payload, "body", "");
        mail.message_id = context.task_id().str() + "@" + mail_domain(from);
        mail.date = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        const auto message = value_or_fail<MailError>(format_mail(mail));

        auto result = Json::object({{"message_id", "<" + mail.message_id + ">"}, {"recipients", mail.to.size()}});
        if (server.url.empty()) {
          const auto name = context.task_id().str() + ".eml";
          value_or_fail<MailError>(write_to_outbox(outbox, name, message));
          result["delivery"] = "outbox";
          result["file"] = name;
        } else {
          check_domains(mail.to, domains);
          value_or_fail<MailError>(send_by_smtp(server, mail.from, mail.to, message, context.stop_token()));
          result["delivery"] = "smtp";
        }
        return result;
      };
}

}  // namespace millrace::tasks
