// SPDX-License-Identifier: Apache-2.0
#include "host_tools/lab/kernel_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "host_tools/base/child.h"
#include "host_tools/base/file.h"
#include "host_tools/lab/kernel_tree.h"
#include "host_tools/lab/little_endian.h"
#include "tests/unit/base/temp_dir.h"
#include "tests/unit/lab/kernel_bytes.h"

namespace plectl::lab {
namespace {

using testing::HasSubstr;

std::string Gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string bytes(text.size() + 100, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  ::deflateEnd(&stream);
  return bytes;
}

constexpr std::string_view kConfig = "CONFIG_KVM=y\nCONFIG_KVM_INTEL=y\n";

std::string KernelWithConfig() {
  return "text IKCFG_ST no gzip here; IKCFG_ST" + Gzip(std::string(kConfig)) + "IKCFG_ED rest";
}

TEST(KernelImage, NamesItsReleaseAndPayload) {
  const std::string image = Image("6.18.0-mine (me@here) #1 SMP", "PAYLOAD");
  const auto header = ParseImageHeader(image);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->release, "6.18.0-mine");
  EXPECT_EQ(header->build, "#1 SMP");
  EXPECT_EQ(header->payload, "PAYLOAD");
}

TEST(KernelImage, OtherBytesAreRefused) {
  EXPECT_FALSE(ParseImageHeader(""));
  EXPECT_FALSE(ParseImageHeader(std::string(100'000, 'x')));
  EXPECT_FALSE(ParseImageHeader(Image("../../etc (x)", "")));
  EXPECT_FALSE(ParseImageHeader(Image("", "")));
  EXPECT_FALSE(ParseImageHeader(Image(std::string(70, 'a'), "")));
}

TEST(KernelImage, WhatItIsInsteadIsSaid) {
  std::string arm(2048, '\0');
  Put(arm, 56, "ARM\x64");
  EXPECT_THAT(ParseImageHeader(arm).error().message, HasSubstr("for arm64"));
  const std::string elf =
      "\x7f"
      "ELF" +
      std::string(2048, '\0');
  EXPECT_THAT(ParseImageHeader(elf).error().message, HasSubstr("not a bzImage"));
  std::string image = Image("6.18.0 (x)", "PAYLOAD");
  Put(image, 0x206, "\x0f\x02");  // boot protocol 2.15
  EXPECT_THAT(ParseImageHeader(image).error().message, HasSubstr("CONFIG_X86_64"));
  image[0x236] = 1;
  EXPECT_TRUE(ParseImageHeader(image));
}

TEST(KernelImage, ADamagedHeaderReadsNothingBehindTheEnd) {
  std::string image = Image("6.18.0 (x)", "PAYLOAD");
  Put(image, 0x248, Number(UINT32_MAX));
  Put(image, 0x24c, Number(UINT32_MAX));
  ASSERT_TRUE(ParseImageHeader(image));
  EXPECT_EQ(ParseImageHeader(image)->payload, "");
  Put(image, 0x20e, "\xff\xff");
  EXPECT_FALSE(ParseImageHeader(image));
}

TEST(KernelImage, CarriesItsConfiguration) {
  EXPECT_EQ(EmbeddedConfig(KernelWithConfig()), kConfig);
  EXPECT_EQ(EmbeddedConfig("IKCFG_ST and no more"), std::nullopt);
  EXPECT_EQ(EmbeddedConfig("IKCFG_ST\x1f\x8b damaged"), std::nullopt);
}

class PackedKernel : public testing::TestWithParam<std::string> {};

// As the kernel's build packs it: the length behind all but gzip.
TEST_P(PackedKernel, IsUnpackedForItsConfiguration) {
  const TempDir directory;
  const auto file = directory.path() / "vmlinux";
  ASSERT_TRUE(WriteFileAtomically(file, KernelWithConfig()));
  ChildOptions pack;
  pack.argv = {GetParam(), "-c", "-q", file.string()};
  auto packed = RunChildOrFail(pack, std::chrono::seconds(60));
  ASSERT_TRUE(packed);
  if (GetParam() != "gzip") *packed += Number(KernelWithConfig().size());
  const auto image = directory.path() / "bzImage";
  ASSERT_TRUE(WriteFileAtomically(image, Image("6.18.0 (x)", *packed)));
  EXPECT_EQ(ConfigInImage(image, directory.path()), kConfig);
}
INSTANTIATE_TEST_SUITE_P(KernelImage, PackedKernel, testing::Values("gzip", "xz", "zstd"));

class KernelTreeTest : public testing::Test {
 protected:
  void Add(const std::string& path, const std::string& content = "") {
    const auto file = directory_.path() / path;
    ASSERT_TRUE(MakeDirectories(file.parent_path()));
    ASSERT_TRUE(WriteFileAtomically(file, content));
  }
  [[nodiscard]] Result<KernelTree> Find() const { return FindKernelTree(directory_.path(), "it"); }
  [[nodiscard]] std::string Relative(const std::filesystem::path& path) const {
    return path.lexically_relative(directory_.path());
  }
  const TempDir directory_;
};

TEST_F(KernelTreeTest, OfTheOldPackages) {
  Add("boot/vmlinuz-6.1.0-56-cloud-amd64", Image("6.1.0-56-cloud-amd64 (x)", ""));
  Add("boot/config-6.1.0-56-cloud-amd64");
  Add("lib/modules/6.1.0-56-cloud-amd64/kernel/kvm.ko");
  const auto tree = Find();
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->release, "6.1.0-56-cloud-amd64");
  EXPECT_EQ(Relative(tree->image), "boot/vmlinuz-6.1.0-56-cloud-amd64");
  EXPECT_EQ(Relative(tree->modules), "lib/modules/6.1.0-56-cloud-amd64");
  EXPECT_EQ(Relative(tree->config), "boot/config-6.1.0-56-cloud-amd64");
}

TEST_F(KernelTreeTest, OfTheNewPackages) {
  Add("usr/lib/modules/7.3.4/vmlinuz", Image("7.3.4 (x)", ""));
  Add("usr/lib/modules/7.3.4/config");
  Add("usr/lib/modules/7.3.4/kernel/kvm.ko.xz");
  const auto tree = Find();
  ASSERT_TRUE(tree);
  EXPECT_EQ(Relative(tree->image), "usr/lib/modules/7.3.4/vmlinuz");
  EXPECT_EQ(Relative(tree->modules), "usr/lib/modules/7.3.4");
  EXPECT_EQ(Relative(tree->config), "usr/lib/modules/7.3.4/config");
}

TEST_F(KernelTreeTest, OfWhatMakeWrote) {
  Add("bzImage", Image("6.18.0-mine (x)", ""));
  Add(".config");
  Add("lib/modules/6.18.0-mine/modules.order");
  Add("lib/modules/6.17.0-before/modules.order");
  const auto tree = Find();
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->release, "6.18.0-mine");
  EXPECT_EQ(Relative(tree->modules), "lib/modules/6.18.0-mine");
  EXPECT_EQ(Relative(tree->config), ".config");
}

TEST_F(KernelTreeTest, NeedsNoModules) {
  Add("arch/x86/boot/bzImage", Image("6.18.0 (x)", ""));
  const auto tree = Find();
  ASSERT_TRUE(tree);
  EXPECT_TRUE(tree->modules.empty());
  EXPECT_TRUE(tree->config.empty());
}

TEST_F(KernelTreeTest, WithoutAnImageIsRefused) {
  Add("lib/modules/6.18.0/modules.order");
  const auto tree = Find();
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(tree.error().message, HasSubstr("it has no kernel image"));
}

TEST_F(KernelTreeTest, OfSeveralKernelsIsRefused) {
  Add("boot/vmlinuz-1", Image("1 (x)", ""));
  Add("boot/vmlinuz-2", Image("2 (x)", ""));
  const auto tree = Find();
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().message, HasSubstr("several kernels: 1 and 2"));
}

TEST_F(KernelTreeTest, ImageAndModulesOfTwoBuildsAreRefused) {
  Add("bzImage", Image("6.18.0-new (x)", ""));
  Add("lib/modules/6.18.0-old/modules.order");
  const auto tree = Find();
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().message, HasSubstr("6.18.0-new, the modules are of 6.18.0-old"));
}

}  // namespace
}  // namespace plectl::lab
