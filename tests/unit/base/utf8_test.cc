// SPDX-License-Identifier: Apache-2.0
#include "host_tools/base/utf8.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace plectl {
namespace {

TEST(Printable, LeavesTextsOfAllLanguagesAlone) {
  for (const std::string_view text :
       {"café-büro", "вм 1", "仮想マシン", "🐧", "it's \"x\" \\", ""}) {
    EXPECT_EQ(Printable(text), text);
    EXPECT_EQ(ValidUtf8(text), text);
  }
}

TEST(Printable, EscapesWhatSteersATerminalOrIsNoUtf8) {
  EXPECT_EQ(Printable("\x1b]0;x\x07\r\n\x7f"), "\\x1b]0;x\\x07\\x0d\\x0a\\x7f");
  EXPECT_EQ(Printable("a\xC2\x9B"
                      "b"),
            "a\\xc2\\x9bb");                                        // C1: the same as ESC [
  EXPECT_EQ(Printable("\u202Egnp.exe"), "\\xe2\\x80\\xaegnp.exe");  // right to left
  EXPECT_EQ(Printable("\xff\xC3(\xED\xA0\x80"), "\\xff\\xc3(\\xed\\xa0\\x80");
  EXPECT_EQ(ValidUtf8("a\n\xff\x1b"), "a\n\\xff\x1b");
}

TEST(Shortened, KeepsWholeCharacters) {
  EXPECT_EQ(Shortened("abc", 3), "abc");
  EXPECT_EQ(Shortened("abcd", 3), "abc...");
  EXPECT_EQ(Shortened("aéb", 2), "a...");
  EXPECT_EQ(Shortened("aéb", 3), "aé...");
  EXPECT_EQ(Shortened("🐧🐧", 7), "🐧...");
  EXPECT_EQ(Shortened("\x80\x80\x80\x80", 2), "\x80\x80...");
  EXPECT_EQ(Shortened("é", 0), "...");
}

// What bash makes of a word.
std::string ByBash(const std::string& word) {
  const std::string command =
      "exec bash -c \"$(cat <<'PLECTL'\nprintf %s " + word + "\nPLECTL\n)\"";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 256> text{};
  const size_t size = std::fread(text.data(), 1, text.size(), pipe.get());
  return {text.data(), size};
}

TEST(ShellWord, IsOneWordWhateverTheNameHolds) {
  EXPECT_EQ(ShellWord("web-1.example_2"), "web-1.example_2");
  EXPECT_EQ(ShellWord("a b"), "'a b'");
  EXPECT_EQ(ShellWord("café-büro"), "'café-büro'");
  EXPECT_EQ(ShellWord("$(reboot)';"), "'$(reboot)'\\'';'");
  EXPECT_EQ(ShellWord("-x"), "'-x'");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("a\nb"), "$'a\\nb'");
  EXPECT_EQ(ShellWord("\x1b[2J\xff"), "$'\\x1b[2J\\xff'");
  for (const std::string name : {"a b", "it's", "\"x\" $HOME `id`", "a\nb'c\\d", "caf\xC3\xA9\x1b",
                                 "\xff\x41", "*?[a]", "!x", "a\\", "#", "~", "$'"}) {
    EXPECT_EQ(ByBash(ShellWord(name)), name) << ShellWord(name);
  }
}

}  // namespace
}  // namespace plectl
