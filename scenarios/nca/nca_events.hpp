#pragma once

#include "nca/nca_course.hpp"
#include "nca/nca_input.hpp"

#include <gemel/io/result_file.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The doses of a result file: `/events`.
namespace gemel::scenarios {

struct EventColumns;

/// Of arms, and of the subjects of a data file, who have some of their own.
class ResultDoses {
public:
    ResultDoses(const io::ResultReader& file, const std::vector<std::string>& arms);

    /// @param subject  number, from 1
    DoseCourse course_of(std::size_t arm, std::uint64_t subject) const;
    bool has_resets() const { return has_resets_; }
    /// That of amounts; none: they are not known.
    const std::optional<sim::Unit>& unit() const { return unit_; }
    bool has_unknown_amounts() const { return has_unknown_amounts_; }
    /// Of all doses that anybody receives.
    const std::vector<ProfileDose>& kinds() const { return kinds_; }

private:
    SubjectRecords& records_of(const EventColumns& columns, std::size_t i);
    std::optional<sim::Record> record_of(const EventColumns& columns, std::size_t i);
    double amount_of(double amount, const std::string& unit);

    const std::vector<std::string>& arms_;
    std::vector<SubjectRecords> of_arms_;         ///< [n_arms]
    std::vector<DoseCourse> courses_;             ///< [n_arms] of subjects without own records
    std::map<std::uint64_t, SubjectRecords> own_; ///< by number
    std::vector<ProfileDose> kinds_;
    std::optional<sim::Unit> unit_;
    bool has_resets_ = false, has_unknown_amounts_ = false;
};

} // namespace gemel::scenarios
