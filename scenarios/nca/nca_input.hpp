#pragma once

#include <gemel/pkpd/nca.hpp>
#include <gemel/scenarios/nca.hpp>
#include <gemel/sim/diagnostic.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Profiles as they stand in files, and the numbers of a request.
namespace gemel::scenarios {

struct ProfileDose {
    double time = 0.0;
    double amount = pkpd::NcaResult::not_known;
    double duration = 0.0;                   ///< of an infusion; NaN: the model's
    double tau = pkpd::NcaResult::not_known; ///< as declared with a steady state
    bool is_steady = false;
};

/// All concentrations and doses of one subject (in one group, in one arm).
struct SubjectProfile {
    std::vector<std::string> labels; ///< groups, then the subject
    std::vector<double> time, concentration;
    std::vector<std::uint8_t> is_blq;
    std::vector<pkpd::SlopePoint> slope;
    std::vector<std::size_t> n_doses_before; ///< of each concentration; tells ties apart
    std::vector<ProfileDose> doses;          ///< in time
    double weight = 1.0;                     ///< what the subject counts in summaries
    std::vector<std::string> notes;
};

/// Units that the file or the request declares.
struct ProfileUnits {
    std::optional<sim::Unit> time, concentration, dose;
};

class ProfileSource {
public:
    virtual ~ProfileSource() = default;
    virtual const ProfileUnits& units() const = 0;
    virtual std::vector<std::string> label_names() const = 0;     ///< "arm", "subject"
    virtual std::vector<std::string> notes() const { return {}; } ///< on the file as a whole
    virtual void for_each(const std::function<void(const SubjectProfile&)>& use) = 0;
};

/// Texts of options, read with the units of the file.
class OptionReader {
public:
    explicit OptionReader(sim::DiagnosticList& diagnostics) : diagnostics_(diagnostics) {}

    /// A number, or a number with a unit that fits `unit`. @returns NaN after a mistake
    double number(const std::string& option,
                  const std::string& text,
                  const std::optional<sim::Unit>& unit);
    /// "0:12".
    pkpd::NcaWindow window(const std::string& option,
                           const std::string& text,
                           const std::optional<sim::Unit>& unit);
    std::optional<sim::Unit> unit(const std::string& option, const std::string& text);
    /// Where an option's text stands.
    static sim::SourceSpan place(const std::string& option, const std::string& text);
    void mistake(const std::string& option,
                 const std::string& text,
                 std::string message,
                 std::string help = {});

private:
    sim::DiagnosticList& diagnostics_;
};

/// What a request says in numbers.
struct NcaSettings {
    pkpd::NcaOptions analysis;
    std::optional<pkpd::NcaRoute> route;
    double dose = pkpd::NcaResult::not_known, dose_time = pkpd::NcaResult::not_known;
    double duration = pkpd::NcaResult::not_known, tau = pkpd::NcaResult::not_known;
    double superpose = pkpd::NcaResult::not_known;
    double lloq = 0.0;
    std::optional<pkpd::NcaWindow> slope_window;
    std::vector<double> slope_without;
    std::vector<std::string> partial_names, threshold_names;
};

NcaSettings
settings_of(const NcaRequest& request, const ProfileUnits& units, sim::DiagnosticList& diagnostics);

/// @returns nothing after a mistake
std::unique_ptr<ProfileSource> read_profiles_of_data(const std::filesystem::path& path,
                                                     const NcaRequest& request,
                                                     sim::DiagnosticList& diagnostics);
std::unique_ptr<ProfileSource> read_profiles_of_results(const std::filesystem::path& path,
                                                        const NcaRequest& request,
                                                        sim::DiagnosticList& diagnostics);

/// Asks for --route unless all doses are infusions.
void demand_route(const std::vector<const std::vector<ProfileDose>*>& doses,
                  const NcaRequest& request,
                  sim::DiagnosticList& diagnostics);

/// One dosing interval, analysed.
struct AnalysedInterval {
    std::size_t dose = 0; ///< number of the dose, from 0
    double dose_time = 0.0;
    pkpd::NcaResult result;
};

/// The intervals that the request asks for.
std::vector<AnalysedInterval> analyse_subject(const SubjectProfile& subject,
                                              const NcaRequest& request,
                                              const NcaSettings& settings);

} // namespace gemel::scenarios
