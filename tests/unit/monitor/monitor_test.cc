// SPDX-License-Identifier: Apache-2.0
#include "host_tools/monitor/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "host_tools/metrics/text_format.h"
#include "tests/unit/monitor/fake_vms.h"

namespace plectl::monitor {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class MonitorTest : public testing::Test {
 protected:
  MonitorTest() {
    options_.probe_statistics = ProbeStatistics::kOff;
    vms_.Start(100, "a", 2);
    vms_.Thread(101).pauses = 3;
    vms_.Thread(101).others = 40;
    vms_.Thread(102).pauses = 1;
  }
  void Make() {
    monitor_ = std::make_unique<Monitor>(vms_.root(), options_, vms_.Attacher());
    ASSERT_TRUE(monitor_->Attach());
  }
  std::string Scrape() { return metrics::TextFormat(monitor_->Scrape()); }

  FakeVms vms_;
  MonitorOptions options_;
  std::unique_ptr<Monitor> monitor_;
};

TEST_F(MonitorTest, ShowsVmsAndVcpus) {
  Make();
  EXPECT_THAT(
      Scrape(),
      AllOf(HasSubstr("plectl_vm_info{vm=\"a\",pid=\"100\",program=\"qemu-system-x86\","
                      "name_source=\"process\"} 1\n"),
            HasSubstr("plectl_vm_vcpus{vm=\"a\"} 2\n"),
            HasSubstr("plectl_vm_exits_total{vm=\"a\",reason=\"PAUSE_INSTRUCTION\"} 4\n"),
            HasSubstr("plectl_vm_exits_total{vm=\"a\",reason=\"EXCEPTION_NMI\"} 40\n"),
            HasSubstr("plectl_vcpu_pause_exits_total{vm=\"a\",vcpu=\"0\"} 3\n"),
            HasSubstr("plectl_vm_ple_window_changes_total{vm=\"a\",direction=\"grow\"} 4\n"),
            HasSubstr("plectl_vm_directed_yields_total{vm=\"a\",result=\"not_needed\"} 4\n"),
            HasSubstr("plectl_vcpu_run_delay_seconds_total{vm=\"a\",vcpu=\"1\"} 0\n"),
            HasSubstr("plectl_vm_pause_exit_handling_seconds_count{vm=\"a\"} 4\n"),
            HasSubstr("plectl_exit_handling_seconds_count{reason=\"PAUSE_INSTRUCTION\"} 4\n")));
}

TEST_F(MonitorTest, ShowsParametersAndItself) {
  Make();
  EXPECT_THAT(
      Scrape(),
      AllOf(
          HasSubstr("plectl_kvm_parameters_info{module=\"kvm_intel\",nested=\"Y\",ple_gap=\"128\","
                    "ple_window=\"4096\"} 1\n"),
          HasSubstr("plectl_kvm_parameter{module=\"kvm_intel\",parameter=\"nested\"} 1\n"),
          HasSubstr("plectl_kvm_module_reloads_total{module=\"kvm_intel\"} 0\n"),
          HasSubstr("plectl_monitor_healthy{component=\"bpf\"} 1\n"),
          HasSubstr("plectl_monitor_healthy{component=\"vms\"} 1\n"),
          HasSubstr("plectl_monitor_healthy{component=\"parameters\"} 1\n"),
          HasSubstr("plectl_monitor_probe_runs_total{program=\"on_vmx_exit\"} 10\n"),
          HasSubstr("plectl_monitor_vms 1\n"), HasSubstr("plectl_monitor_vcpus 2\n"),
          HasSubstr("plectl_monitor_scrapes_total{result=\"complete\"} 1\n")));
}

TEST_F(MonitorTest, ShowsReasonsOfEachVcpuOnlyWhenAsked) {
  Make();
  EXPECT_THAT(Scrape(), Not(HasSubstr("plectl_vcpu_exits_total")));
  options_.sampler.per_vcpu_reasons = true;
  Make();
  EXPECT_THAT(Scrape(), HasSubstr("plectl_vcpu_exits_total{vm=\"a\",vcpu=\"0\","
                                  "reason=\"EXCEPTION_NMI\"} 40\n"));
}

TEST_F(MonitorTest, LeavesOutWhatIsNotCounted) {
  vms_.counts_yields = vms_.has_run_delay = false;
  options_.exit_times = false;
  Make();
  EXPECT_THAT(Scrape(),
              AllOf(Not(HasSubstr("directed_yields")), Not(HasSubstr("run_delay")),
                    Not(HasSubstr("handling_seconds")), HasSubstr("plectl_vm_cpu_seconds_total")));
}

// /proc mounted with hidepid: that no VM is seen says nothing.
TEST_F(MonitorTest, IsNotHealthyWhileProcessesAreHidden) {
  Make();
  EXPECT_THAT(Scrape(), HasSubstr("plectl_monitor_healthy{component=\"vms\"} 1\n"));
  vms_.Remove("/proc/1");
  EXPECT_THAT(Scrape(), HasSubstr("plectl_monitor_healthy{component=\"vms\"} 0\n"));
  EXPECT_THAT(monitor_->Tick(), Contains(HasSubstr("hidepid")));
  EXPECT_THAT(monitor_->Tick(), Not(Contains(HasSubstr("hidepid")))) << "said once";
}

TEST_F(MonitorTest, DropsDirectedYieldsWhileTheyAreNotCounted) {
  Make();
  EXPECT_THAT(Scrape(), HasSubstr("plectl_vm_directed_yields_total{"));
  vms_.counts_yields = false;
  EXPECT_THAT(Scrape(), Not(HasSubstr("plectl_vm_directed_yields_total{")));
  EXPECT_THAT(monitor_->Tick(), Contains(HasSubstr("directed yields are not counted: not here")));
  vms_.counts_yields = true;
  EXPECT_THAT(Scrape(), HasSubstr("plectl_vm_directed_yields_total{"));
}

TEST_F(MonitorTest, ShowsNoCountsWhenTheyCannotBeRead) {
  Make();
  Scrape();
  vms_.next_read = Environment("no");
  EXPECT_THAT(Scrape(), AllOf(Not(HasSubstr("exits_total{")), Not(HasSubstr("plectl_vcpu_")),
                              Not(HasSubstr("cpu_seconds_total{vm")), HasSubstr("plectl_vm_info"),
                              HasSubstr("plectl_monitor_healthy{component=\"bpf\"} 0\n"),
                              HasSubstr("plectl_monitor_healthy{component=\"vms\"} 0\n")));
  EXPECT_THAT(Scrape(), HasSubstr("reason=\"PAUSE_INSTRUCTION\"} 4\n"));
}

TEST_F(MonitorTest, WithoutProbesShowsNoCountAndIsHealthy) {
  options_.probes = false;
  Make();
  EXPECT_THAT(Scrape(), AllOf(Not(HasSubstr("exits_total{")), Not(HasSubstr("component=\"bpf\"")),
                              HasSubstr("plectl_kvm_parameter{")));
}

TEST_F(MonitorTest, KeepsCountsWhileProbesAreReleasedAndGoesOn) {
  Make();
  Scrape();
  monitor_->Release();
  vms_.Thread(101).pauses = 100;  // nobody counts
  EXPECT_THAT(Scrape(),
              AllOf(HasSubstr("reason=\"PAUSE_INSTRUCTION\"} 4\n"),
                    HasSubstr("plectl_exit_handling_seconds_count{reason=\"PAUSE_INSTRUCTION\"} 4"),
                    HasSubstr("plectl_monitor_healthy{component=\"bpf\"} 0\n")));
  EXPECT_TRUE(monitor_->Tick().empty()) << "they stay released";
  vms_.Thread(101).pauses = 10;
  vms_.Thread(102).pauses = 0;
  ASSERT_TRUE(monitor_->Attach());
  EXPECT_THAT(
      Scrape(),
      AllOf(HasSubstr("plectl_vm_exits_total{vm=\"a\",reason=\"PAUSE_INSTRUCTION\"} 14\n"),
            HasSubstr("plectl_exit_handling_seconds_count{reason=\"PAUSE_INSTRUCTION\"} 14"),
            HasSubstr("plectl_monitor_healthy{component=\"bpf\"} 1\n")));
}

TEST_F(MonitorTest, SaysThatAModuleWasLoadedAgain) {
  Make();
  std::filesystem::rename(vms_.root().Path("/sys/module/kvm_intel"), vms_.root().Path("/old"));
  vms_.Write("/sys/module/kvm_intel/parameters/ple_window", "1\n");
  EXPECT_THAT(monitor_->Tick(), testing::ElementsAre(HasSubstr("loaded again")));
  EXPECT_TRUE(monitor_->Tick().empty());
}

TEST_F(MonitorTest, AnswersInTimeWithWhatIsThere) {
  options_.scrape_deadline = std::chrono::milliseconds(20);
  Make();
  Scrape();
  vms_.Start(200, "late", 1);
  vms_.before_visit = [](const FakeThread&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  };
  EXPECT_THAT(Scrape(), AllOf(Not(HasSubstr("late")), HasSubstr("PAUSE_INSTRUCTION\"} 4\n"),
                              HasSubstr("plectl_monitor_scrapes_total{result=\"deadline\"} 1\n")));
}

TEST_F(MonitorTest, DoesNotWaitForASlowScrapeBeyondTheDeadline) {
  options_.scrape_deadline = std::chrono::milliseconds(20);
  Make();
  vms_.before_visit = [](const FakeThread&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  };
  std::thread slow([this] { Scrape(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_THAT(Scrape(), AllOf(Not(HasSubstr("plectl_vm_")), HasSubstr("plectl_monitor_healthy"),
                              HasSubstr("{result=\"deadline\"} 1\n")));
  slow.join();
}

TEST_F(MonitorTest, CannotAttachWithoutKvm) {
  vms_.Remove("/sys/module/kvm_intel");
  monitor_ = std::make_unique<Monitor>(vms_.root(), options_, vms_.Attacher());
  const Status attached = monitor_->Attach();
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().kind, ErrorKind::kEnvironment);
  EXPECT_THAT(Scrape(), HasSubstr("plectl_monitor_healthy{component=\"bpf\"} 0\n"));
}

}  // namespace
}  // namespace plectl::monitor
