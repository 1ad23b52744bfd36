#pragma once

#include "nca/nca_input.hpp"

#include <gemel/sim/timeline.hpp>

#include <cstddef>
#include <limits>
#include <vector>

/// What a subject received, as analyses see it: doses written out, parted by resets.
namespace gemel::scenarios {

/// Records of one subject. Amounts are in one unit; NaN: not known.
struct SubjectRecords {
    std::vector<sim::Record> records;     ///< at equal times they act in this order
    std::vector<std::size_t> new_periods; ///< resets at which time begins anew, none earlier
    bool cancels_pending = false; ///< a reset or a steady state ends additional doses to come
};

/// All doses at one time.
struct CourseDose {
    ProfileDose dose;
    /// How many records must stand before a sample at this time for the dose to be before it; 0 of
    /// additional doses.
    std::size_t rank = 0;
};

/// Between two resets. What a reset takes away at once is no dose.
struct CoursePart {
    std::vector<CourseDose> doses; ///< in time
};

/// Of a sample: all records of its time are before it.
inline constexpr std::size_t after_all = std::numeric_limits<std::size_t>::max();

class DoseCourse {
public:
    explicit DoseCourse(const SubjectRecords& subject);

    const std::vector<CoursePart>& parts() const { return parts_; } ///< [1 + n_resets]
    /// Which part a sample is of that sees the first `n_before` records.
    std::size_t part_of(double time, std::size_t n_before) const;
    /// How many of the part's doses it sees.
    std::size_t n_doses_before(std::size_t part, double time, std::size_t n_before) const;

private:
    struct Reset {
        std::size_t period = 0, record = 0;
        double time = 0.0;
    };

    void add_doses(const SubjectRecords& subject, std::size_t record);
    bool is_cancelled(const SubjectRecords& subject, std::size_t record, double time) const;
    void place(const CourseDose& dose, std::size_t record);
    std::size_t period_of(std::size_t n_before) const;

    std::vector<Reset> resets_; ///< in time
    std::vector<std::size_t> new_periods_;
    std::vector<CoursePart> parts_;
};

/// Profiles of the parts, with their doses and nothing else.
std::vector<SubjectProfile> profiles_with_doses(const DoseCourse& course,
                                                const std::vector<std::string>& notes);

/// A part that there is something to analyse of.
struct Occasion {
    std::size_t part = 0, number = 0; ///< from 0, from 1
};
/// Parts with doses, of a subject without any all; counted whether they have samples or not.
std::vector<Occasion> occasions_of(const DoseCourse& course,
                                   const std::vector<SubjectProfile>& parts);

} // namespace gemel::scenarios
