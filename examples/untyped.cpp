// Handlers and submissions in plain JSON: for payloads that others define.
#include <iostream>

#include <millrace/millrace.hpp>

using namespace std::chrono_literals;
using millrace::Json;

int main() {
  const auto broker = millrace::connect("memory:");
  millrace::Worker worker{broker, {.name = "shop", .concurrency = 4}};

  worker.on("price_order", [](const Json& order, millrace::Context& context) -> Json {
    double total = 0;
    for (const auto& line : order["lines"].as_array()) total += line.get("price", 0.0) * line.get("count", 1.0);
    // Stored in one atomic write with this task's success.
    context.enqueue("write_invoice", Json::object({{"order", order["id"]}, {"total", total}}), {.queue = "invoices"});
    return Json::object({{"total", total}});
  });
  worker.on("write_invoice", [](const Json& invoice) {
    std::cout << "invoice for " << invoice["order"].as_string() << ": " << invoice["total"].as_double() << "\n";
    return true;
  });
  worker.start();

  const millrace::Client client{broker};
  const auto order = Json::parse(R"({"id":"o-1","lines":[{"price":2.5,"count":4},{"price":1}]})").value();
  const auto priced = client.enqueue("price_order", order).wait(10s);

  while (client.list({.queue = "invoices", .statuses = {millrace::Status::completed}}).tasks.empty()) {
    std::this_thread::sleep_for(5ms);
  }
  std::cout << "priced: " << priced.dump() << "\n";
  return worker.stop() ? 0 : 1;
}
