#pragma once

#include <gemel/scenarios/nca.hpp>
#include <gemel/sim/counters.hpp>
#include <gemel/sim/moments.hpp>

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

/// What `nca` prints, as a table, CSV or JSON.
namespace gemel::scenarios {

struct NcaColumn {
    std::string name, unit; ///< unit "": not declared
    bool is_chosen = true;  ///< in the table of profiles
};

/// One profile's numbers.
struct NcaRow {
    std::vector<std::string> labels;
    std::vector<double> values; ///< [n_columns]
    std::vector<std::string> notes;
    double weight = 1.0;
};

/// One parameter over profiles; quantiles as sim::Counters have them.
class NcaSummary {
public:
    void add(double value, double weight); ///< what is not finite is left out
    std::uint64_t n() const { return counters_.n(); }
    double mean() const;
    double sd() const;
    double geometric_mean() const; ///< NaN where a value is not above 0
    double geometric_cv() const;   ///< [%]
    double median() const { return counters_.quantile(0.5); }
    double min() const { return counters_.min(); }
    double max() const { return counters_.max(); }

private:
    sim::Counters counters_;
    sim::Moments moments_, logs_;
    bool are_positive_ = true;
};

/// Summaries of one group (arm, interval), in the order of the columns.
struct NcaGroup {
    std::vector<std::string> labels; ///< "" for one that is summed over
    std::vector<NcaSummary> of;
};

class NcaPrinter {
public:
    virtual ~NcaPrinter() = default;
    virtual void add(const NcaRow& row) = 0;
    virtual void end(const std::vector<NcaGroup>& groups) = 0;
};

std::unique_ptr<NcaPrinter> nca_printer(NcaFormat format,
                                        std::vector<std::string> label_names,
                                        std::vector<NcaColumn> columns,
                                        std::ostream& out);

} // namespace gemel::scenarios
