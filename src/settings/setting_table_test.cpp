#include "settings/setting_table.hpp"

#include <cctype>
#include <set>

#include <gtest/gtest.h>

#include "settings/value.hpp"

namespace millrace::settings {
namespace {

TEST(SettingTable, NamesAreUniqueAmongSettingsAndFileVariants) {
  std::set<std::string_view> names;
  for (const auto& info : setting_table()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    for (const char c : info.name) EXPECT_TRUE(std::islower(static_cast<unsigned char>(c)) || c == '_') << info.name;
    EXPECT_TRUE(info.file_variant.empty() || names.insert(info.file_variant).second) << info.file_variant;
  }
}

TEST(SettingTable, EveryRowIsCompleteAndItsDefaultObeysItsLimits) {
  for (const auto& info : setting_table()) {
    EXPECT_FALSE(info.help.empty() || info.group.empty()) << info.name;
    EXPECT_EQ(info.form == Form::choice, !info.choices.empty()) << info.name;
    Settings settings;
    const std::string texts[] = {std::string(info.default_text)};
    const auto assigned = assign(info, texts, settings);
    EXPECT_TRUE(assigned) << info.name << " " << assigned.error().detail;
    EXPECT_LE(info.least, info.most) << info.name;
  }
}

TEST(SettingTable, EverySecretCanComeFromAFileExceptTheServersUrl) {
  for (const auto& info : setting_table()) {
    EXPECT_TRUE(info.name == "server" || (info.secret == Secret::no) == info.file_variant.empty()) << info.name;
  }
}

TEST(SettingTable, GroupsStandTogether) {
  std::set<std::string_view> seen;
  std::string_view group;
  for (const auto& info : setting_table()) {
    if (info.group == group) continue;
    group = info.group;
    EXPECT_TRUE(seen.insert(group).second) << group;
  }
}

TEST(SettingNames, FollowFromOneName) {
  EXPECT_EQ(flag_of("max_retries"), "--max-retries");
  EXPECT_EQ(variable_of("max_retries"), "MILLRACE_MAX_RETRIES");
  EXPECT_EQ(name_of_variable("MILLRACE_MAX_RETRIES"), "max_retries");
}

TEST(SettingNames, FindTheNearest) {
  EXPECT_EQ(nearest_name("wrokers"), "workers");
  EXPECT_EQ(nearest_name("max_retry"), "max_retries");
  EXPECT_EQ(nearest_name("brokr_file"), "broker_file");
  EXPECT_EQ(nearest_name("something_else_entirely"), std::nullopt);
  EXPECT_EQ(nearest_name(""), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(100'000, 'x')), std::nullopt);
}

}  // namespace
}  // namespace millrace::settings
