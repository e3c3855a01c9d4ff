#include "settings/documents.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "settings/resolve.hpp"
#include "settings/sources.hpp"

namespace millrace::settings {
namespace {

std::string file_of_the_project(const std::string& path) {
  std::ifstream file(std::filesystem::path(MILLRACE_SOURCE_DIR) / path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Documents, TheConfigurationPageIsUpToDate) {
  EXPECT_EQ(file_of_the_project("docs/configuration.md"), configuration_markdown())
      << "docs/configuration.md: write configuration_markdown() into it";
}

TEST(Documents, TheExampleOfAnEnvFileIsUpToDateAndChangesNothing) {
  EXPECT_EQ(file_of_the_project(".env.example"), env_example()) << ".env.example: write env_example() into it";
  EXPECT_TRUE(parse_env_file(env_example()).value().empty());
}

TEST(Documents, TheExampleWithAllItsLinesInForceIsTheDefault) {
  auto text = env_example();
  for (std::size_t at = 0; (at = text.find("\n#MILLRACE_", at)) != std::string::npos; ++at) text.erase(at + 1, 1);
  Inputs inputs;
  inputs.exists = [](const std::string&) { return false; };
  inputs.read_file = [&](const std::string&) -> Result<std::string> { return text; };
  const auto standard = resolve(inputs);
  inputs.flags = {{"env_file", {".env"}}};
  const auto result = resolve(inputs);
  EXPECT_TRUE(result.ok()) << result.problems.front();
  EXPECT_EQ(result.at("max_retries").source, Source::env_file);
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const auto& name = result.values[i].info->name;
    EXPECT_TRUE(name == "env_file" || result.values[i].value == standard.values[i].value) << name;
  }
}

}  // namespace
}  // namespace millrace::settings
