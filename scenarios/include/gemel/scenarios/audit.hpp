#pragma once

#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/panel.hpp>

#include <cstdint>
#include <iosfwd>
#include <limits>
#include <memory>
#include <string>
#include <vector>

/// Whom a genotyping panel misses: by ancestry group, what it does not see and what follows from
/// it, with how far the people tested leave that open. Theory manual: audit.md.
namespace gemel::scenarios {

/// A figure at the published frequencies, and where it lies by what was counted; NaN: not defined,
/// or not known.
struct AuditFigure {
    double value = std::numeric_limits<double>::quiet_NaN();
    double lower = std::numeric_limits<double>::quiet_NaN();
    double upper = std::numeric_limits<double>::quiet_NaN();
};

struct AuditSettings {
    double level = 0.95; ///< of intervals: quantiles of draws, (1 − level)/2 on each side
    std::uint32_t n_draws = 1000; ///< of allele frequencies; 0: no intervals
    std::uint64_t seed = 1;
    /// A map by which doses are adjusted: exposure is the ratio of its value for what the panel
    /// reports to that for what is there. Both or neither.
    std::shared_ptr<const pkpd::Model> model;
    std::string map;
    int n_threads = 0; ///< 0: all cores. Changes no result
};

struct MissedAllele {
    std::string name;
    double frequency = 0.0;
    std::int64_t n_subjects = 0; ///< tested for it; 0: not known
};

/// What doses by the panel's report do to exposure, relative to doses by what is there.
struct ExposureError {
    AuditFigure over;    ///< people with more than 1.25 times the exposure
    AuditFigure under;   ///< with less than 0.8 times
    AuditFigure average; ///< geometric mean of the ratio among those in whom it is not 1
    AuditFigure unknown; ///< people whose map has no value for one of the two
};

struct GroupAudit {
    std::string group;
    bool has_frequencies = false; ///< else nobody's are known, and nothing below is
    std::int64_t fewest_subjects = 0, most_subjects = 0; ///< tested for an allele; 0: not known
    AuditFigure reduced;   ///< frequency of alleles of decreased or no function
    AuditFigure missed;    ///< of them those the panel does not report
    AuditFigure share;     ///< missed of reduced
    AuditFigure carriers;  ///< people with one or two missed alleles of decreased or no function
    AuditFigure misread;   ///< people whose phenotype is another by the panel's report
    AuditFigure uncertain; ///< frequency of alleles of uncertain or unknown function
    std::vector<MissedAllele> main_missed; ///< the most frequent, three at most
    ExposureError exposure;                ///< where there is a map
};

/// One gene of a panel.
struct GeneAudit {
    std::string panel, name, source; ///< of the panel
    std::string gene;
    std::vector<std::string> tested;
    std::string counts_source; ///< of the gene's frequencies, with its date
    bool has_exposure = false;
    std::vector<GroupAudit> groups;
};

struct AuditReport {
    AuditSettings settings;
    std::vector<GeneAudit> genes;
};

/// @param groups  codes that are reported, whether a gene has frequencies in them or not
/// @throws std::invalid_argument for a level that is not between 0 and 1, or a map the model lacks
AuditReport audit(const std::vector<std::shared_ptr<const pkpd::Panel>>& panels,
                  const std::vector<std::string>& groups,
                  const AuditSettings& settings);

std::string render(const AuditReport& report);
void write_csv(const AuditReport& report, std::ostream& out);
void write_json(const AuditReport& report, std::ostream& out);

} // namespace gemel::scenarios
