#include "data_reading.hpp"

#include <gemel/pkpd/dosing.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>

/// Whose a row is, what it is, and when.
namespace gemel::pkpd {
namespace {

const char* foreign_evid(int evid) {
    switch (evid) {
    case 5:
        return "rxode2 replaces an amount by it";
    case 6:
        return "rxode2 multiplies an amount by it";
    case 7:
        return "rxode2 marks a dose for transit by it";
    case 8:
        return "mrgsolve replaces an amount by it";
    default:
        return evid > 100 ? "RxODE wrote compartments into it" : "NONMEM's are 0 to 4";
    }
}

std::string help_for_evid(int evid) {
    if (evid == 5 || evid == 8)
        return "to empty a compartment switch it off and on again (EVID 2 with a negative, then a "
               "positive CMT), then give the amount (EVID 1); to empty all write EVID 3 or 4";
    if (evid == 6)
        return "no row multiplies: write the amount that is added (EVID 1), or let a covariate of "
               "the model change";
    if (evid == 7) return "write EVID 1; transit(…) in the model delays the dose";
    if (evid > 100) return "write EVID 1 and the compartment in CMT";
    return "0 observes, 1 doses, 2 is another change, 3 resets, 4 resets and doses";
}

class EvidReader {
public:
    explicit EvidReader(DataTable& table) : table_(table) {}

    int read(std::size_t row) {
        const double amount = table_.number(row, DataRole::amt).value_or(0.0);
        if (!table_.has(DataRole::evid)) return derived(row, amount);
        const std::optional<int> evid = table_.whole(row, DataRole::evid);
        if (!evid) return -1;
        if (*evid < 0 || *evid > 4) return tell_unknown(row, *evid);
        if (*evid == 0 && amount != 0.0) return tell_amount(row);
        if ((*evid == 2 || *evid == 3) && amount != 0.0) return tell_amount(row);
        return *evid;
    }

private:
    int derived(std::size_t row, double amount) {
        const bool is_constant_infusion = table_.whole(row, DataRole::ss).value_or(0) > 0 &&
                                          table_.number(row, DataRole::rate).value_or(0.0) != 0.0;
        return amount != 0.0 || is_constant_infusion ? 1 : 0;
    }

    int tell_unknown(std::size_t row, int evid) {
        table_.mistakes.add(fmt::format("EVID {}", evid),
                            table_.place(row, DataRole::evid),
                            fmt::format("EVID {} is not understood: {}",
                                        table_.cell(row, DataRole::evid).text,
                                        foreign_evid(evid)),
                            help_for_evid(evid));
        return -1;
    }

    int tell_amount(std::size_t row) {
        const bool is_missing = table_.is_missing(row, DataRole::evid);
        table_.mistakes.add(
            "amount and no dose",
            table_.place(row, DataRole::amt),
            fmt::format("this row has the amount {}, but {}",
                        table_.cell(row, DataRole::amt).text,
                        is_missing ? std::string("its EVID is missing")
                                   : "its EVID is " + table_.cell(row, DataRole::evid).text),
            "for a dose write EVID 1, for a reset and a dose EVID 4; otherwise AMT is 0 or '.'");
        return -1;
    }

    DataTable& table_;
};

/// Texts between marks, as in "2020-01-31" and "8:30".
std::vector<std::string> parts(const std::string& text, char mark) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(mark, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

bool are_digits(const std::string& text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// A whole number of one to four digits; nothing if it is none.
std::optional<int> digits_in(const std::string& text) {
    constexpr std::size_t most_digits = 4;
    if (!are_digits(text) || text.size() > most_digits) return std::nullopt;
    return std::stoi(text);
}

/// "5", "05" and "5.25", from 0 to below 60; nothing if it is none.
std::optional<double> seconds_in(const std::string& text) {
    const std::size_t point = text.find('.');
    const bool has_fraction = point != std::string::npos;
    if (has_fraction && !are_digits(text.substr(point + 1))) return std::nullopt;
    const std::optional<int> whole = digits_in(text.substr(0, point));
    if (!whole || *whole >= 60) return std::nullopt;
    double fraction = 0.0;
    if (has_fraction) std::from_chars(text.data() + point, text.data() + text.size(), fraction);
    return *whole + fraction;
}

/// Hours after midnight; nothing if it is no time of day.
std::optional<double> hours_in(const std::string& text) {
    const std::vector<std::string> clock = parts(text, ':');
    if (clock.size() < 2 || clock.size() > 3) return std::nullopt;
    const std::optional<int> hours = digits_in(clock[0]), minutes = digits_in(clock[1]);
    const std::optional<double> seconds = clock.size() == 3 ? seconds_in(clock[2]) : 0.0;
    if (!hours || !minutes || !seconds || *minutes >= 60) return std::nullopt;
    const double hour = *hours + (60.0 * *minutes + *seconds) / 3600.0;
    return hour <= 24.0 ? std::optional(hour) : std::nullopt; // 24:00 is the end of the day
}

/// As in NONMEM's DATE a number alone: a day, counted from whenever.
bool is_day_number(const std::string& text) {
    constexpr std::size_t most_digits = 5; // 20200131 is none
    return !text.empty() && text.size() <= most_digits &&
           text.find_first_not_of("0123456789") == std::string::npos;
}

/// Days since 1970-01-01 in the Gregorian calendar; nothing if there is no such day.
std::optional<double> days_in(const std::string& text, const std::string& order) {
    if (is_day_number(text)) return std::stod(text);
    const char mark = text.find('/') != std::string::npos ? '/' : '-';
    const std::vector<std::string> numbers = parts(text, mark);
    if (numbers.size() != 3) return std::nullopt;
    std::array<int, 3> ymd{};
    for (std::size_t i = 0; i < 3; ++i) {
        const char part = order.empty() ? "ymd"[i] : order[2 * i];
        const std::optional<int> number = digits_in(numbers[i]);
        if (!number) return std::nullopt;
        ymd[part == 'y' ? 0 : part == 'm' ? 1 : 2] = *number;
    }
    if (ymd[0] < 1000 || ymd[1] > 12 || ymd[2] > 31) return std::nullopt;
    const std::chrono::year_month_day day{std::chrono::year{ymd[0]},
                                          std::chrono::month{static_cast<unsigned>(ymd[1])},
                                          std::chrono::day{static_cast<unsigned>(ymd[2])}};
    if (!day.ok()) return std::nullopt;
    return static_cast<double>(std::chrono::sys_days{day}.time_since_epoch().count());
}

/// Whether it would be a date if its year were one of four digits.
bool has_short_year(const std::string& text, const std::string& order) {
    const bool is_first = order.empty() || order.starts_with('y');
    const auto mark = is_first ? text.find_first_of("/-") : text.find_last_of("/-");
    if (mark == std::string::npos) return false;
    const std::size_t begin = is_first ? 0 : mark + 1, end = is_first ? mark : text.size();
    return end - begin == 2 &&
           days_in(text.substr(0, begin) + "20" + text.substr(begin), order).has_value();
}

class TimeReader {
public:
    explicit TimeReader(DataTable& table) : table_(table) {
        if (!table.has(DataRole::time)) return;
        if (!table.words.has_clock)
            unit_ = table.unit(DataRole::time, table.model.system.time_unit.text);
        if (unit_ != nullptr && !(unit_->dimension == sim::time_dimension)) tell_no_time();
    }

    void begin_subject() {
        first_day_.reset();
        first_date_ = nullptr;
    }

    /// It is told that dates change and TIME may count from day to day.
    bool lacks_clock() const { return is_date_told_; }

    std::optional<double> read(std::size_t row) {
        const io::CsvCell& cell = table_.cell(row, DataRole::time);
        if (table_.is_missing(cell)) {
            table_.mistakes.add("time missing",
                                cell.span,
                                "the time is missing here",
                                "each row has its time; leave out a row without");
            return std::nullopt;
        }
        if (table_.words.has_clock) return by_clock(row, cell);
        check_date(row);
        const std::optional<double> value = table_.number(row, DataRole::time);
        if (!value || unit_ == nullptr) return std::nullopt;
        return time_in({*value, *unit_}, table_.model.system.time_unit);
    }

private:
    void tell_no_time() {
        table_.mistakes.add(
            "unit of TIME",
            table_.header(DataRole::time).span,
            fmt::format("TIME is in {}, which is {}", unit_->text, unit_->dimension.name()),
            "write a unit of time, such as h or d");
        unit_ = nullptr;
    }

    /// Hours since midnight of the subject's first day.
    std::optional<double> by_clock(std::size_t row, const io::CsvCell& cell) {
        std::string date, time = cell.text;
        const auto between = time.find_first_of("T ");
        const bool has_both = between != std::string::npos && between > 0 &&
                              time[between - 1] >= '0' && time[between - 1] <= '9';
        if (has_both) {
            date = time.substr(0, between);
            time = time.substr(between + 1);
        } else if (table_.has(DataRole::date)) {
            date = table_.cell(row, DataRole::date).text;
        }
        const auto hours = has_both ? hours_in(time) : hours_of(cell);
        if (!hours) tell_no_hours(cell);
        const bool has_date = has_both || table_.has(DataRole::date);
        const auto days = has_date ? days_in(date, table_.words.date) : 0.0;
        if (!days) tell_no_date(row, date);
        if (!hours || !days) return std::nullopt;
        if (!first_day_) {
            first_day_ = days;
            counts_days_ = is_day_number(date);
        }
        if (has_date && counts_days_ != is_day_number(date)) {
            tell_mixed_dates(row, date);
            return std::nullopt;
        }
        return time_in({24.0 * (*days - *first_day_) + *hours, *sim::parse_unit("h")},
                       table_.model.system.time_unit);
    }

    /// Also decimal hours, as in NONMEM: 14.5 is 14:30.
    std::optional<double> hours_of(const io::CsvCell& cell) {
        if (cell.text.find_first_not_of("0123456789.,") != std::string::npos)
            return hours_in(cell.text);
        const auto hours = table_.number(cell, table_.column(DataRole::time).header);
        return hours && *hours <= 24.0 ? hours : std::nullopt;
    }

    /// TIME counts on, as its unit says, or begins anew with each day: a date that changes within a
    /// subject does not tell which.
    void check_date(std::size_t row) {
        if (!table_.has(DataRole::date)) return;
        const io::CsvCell& date = table_.cell(row, DataRole::date);
        if (table_.is_missing(date)) return;
        if (first_date_ == nullptr) first_date_ = &date;
        if (is_date_told_ || date.text == first_date_->text) return;
        is_date_told_ = true;
        table_.mistakes.add(
            "date without clock",
            date.span,
            fmt::format("DATE is {} here and {} on line {}, and whether TIME counts the hours of "
                        "these days is not said",
                        date.text,
                        first_date_->text,
                        first_date_->span.line),
            fmt::format("if it does, as in NONMEM, write {}; if TIME goes on from day to day and "
                        "DATE is not needed, {}{}",
                        how_to_set(table_.words, "clock = true", "--clock"),
                        how_to_carry(table_.words, table_.column(DataRole::date).header),
                        table_.words.are_profiles ? "" : " in [data.columns]"));
    }

    void tell_mixed_dates(std::size_t row, const std::string& date) {
        table_.mistakes.add("two kinds of dates",
                            table_.place(row, DataRole::date),
                            fmt::format("'{}' is {}, where the subject's first row has {}",
                                        date,
                                        counts_days_ ? "a date" : "the number of a day",
                                        counts_days_ ? "the number of a day" : "a date"),
                            "write all days of a subject alike");
    }

    void tell_no_hours(const io::CsvCell& cell) {
        table_.mistakes.add("clock",
                            cell.span,
                            fmt::format("'{}' is no time of day", cell.text),
                            table_.words.are_profiles
                                ? "with --clock times are written as 14:30, 14:30:00 or 14.5"
                                : "with clock = true times are written as 14:30, 14:30:00 or 14.5");
    }

    void tell_no_date(std::size_t row, const std::string& date) {
        if (has_short_year(date, table_.words.date)) {
            table_.mistakes.add("short year",
                                table_.place(row, DataRole::date),
                                fmt::format("the year of '{}' has two digits", date),
                                "write it with four: which century is meant is not guessed");
            return;
        }
        table_.mistakes.add(
            "date",
            table_.place(row, DataRole::date),
            date.empty() ? "the date is missing here" : fmt::format("'{}' is no date", date),
            fmt::format("dates are written {}; another order is named by {}",
                        table_.words.date.empty() ? "2020-01-31" : table_.words.date,
                        how_to_set(table_.words,
                                   "date = \"d/m/y\" or \"m/d/y\"",
                                   "--date d/m/y or --date m/d/y")));
    }

    DataTable& table_;
    const sim::Unit* unit_ = nullptr;
    std::optional<double> first_day_;         ///< of the subject, since 1970
    bool counts_days_ = false;                ///< the subject's dates are numbers of days
    const io::CsvCell* first_date_ = nullptr; ///< of the subject
    bool is_date_told_ = false;
};

void tell_back(DataTable& table, std::size_t row, const std::string& before) {
    table.mistakes.add(
        "time back",
        table.place(row, DataRole::time),
        fmt::format("the time goes back from {} to {} within subject {}",
                    before,
                    table.cell(row, DataRole::time).text,
                    table.id(row)),
        fmt::format(
            "sort the rows of a subject by time; after a reset (EVID 3 or 4) time may begin anew{}",
            table.words.are_profiles ? "; --group COLUMN tells profiles of one subject apart"
                                     : ""));
}

} // namespace

void find_subjects(DataTable& table, DataSet& data) {
    std::map<std::vector<std::string>, std::size_t> last; // the row after a subject's last
    std::vector<std::string> before;
    std::string other; // spelling of an ID
    for (std::size_t row = 0; row < table.n_rows(); ++row) {
        const io::CsvCell& cell = table.cell(row, DataRole::id);
        if (table.is_missing(cell))
            table.mistakes.add(
                "ID missing", cell.span, "the ID is missing here", "each row names its subject");
        const std::vector<std::string> owner = table.owner_key(row);
        const bool goes_on = row > 0 && owner == before;
        if (const auto known = last.find(owner); !goes_on && known != last.end())
            table.mistakes.add(
                "ID again",
                cell.span,
                fmt::format("subject {} stood above already, up to line {}",
                            cell.text,
                            table.place(known->second - 1, DataRole::id).line),
                "the rows of a subject stand together: sort by ID and time, or number the "
                "subjects anew if these are two");
        if (!goes_on) {
            data.subjects.emplace_back().first_row = row;
            data.subjects.back().id = cell.text;
        } else if (data.subjects.back().id != cell.text && other.empty()) {
            other = fmt::format("'{}' and '{}'", data.subjects.back().id, cell.text);
        }
        ++data.subjects.back().n_rows;
        last[owner] = row + 1;
        before = owner;
    }
    if (!other.empty())
        data.notes.push_back(fmt::format(
            "IDs are numbers here: {} are one subject, called as it stands first", other));
}

std::vector<int> read_evids(DataTable& table, DataSet& data) {
    std::vector<int> evids(table.n_rows());
    EvidReader reader(table);
    for (std::size_t row = 0; row < evids.size(); ++row)
        evids[row] = reader.read(row);
    if (!table.has(DataRole::evid))
        data.notes.push_back(
            fmt::format("there is no column EVID: {} with an amount dose, the others observe",
                        counted(static_cast<std::size_t>(std::ranges::count(evids, 1)), "row")));
    return evids;
}

std::vector<bool> read_times(DataTable& table, const std::vector<int>& evids, DataSet& data) {
    TimeReader reader(table);
    std::vector<bool> begins_period(table.n_rows(), false);
    std::size_t n_anew = 0;
    for (DataSubject& subject : data.subjects) {
        double before = 0.0, zero = 0.0;
        double period = 0.0, first = 0.0; // when it began, in time that goes on and in the file's
        reader.begin_subject();
        for (std::size_t i = 0; i < subject.n_rows; ++i) {
            const std::size_t row = subject.first_row + i;
            const std::optional<double> read = reader.read(row);
            if (i == 0 && table.words.has_clock) zero = read.value_or(0.0);
            const double time = read.value_or(before + zero) - zero; // told, if there is none
            if (i > 0 && time < before && read) {
                if (evids[row] != 3 && evids[row] != 4) {
                    if (!reader.lacks_clock()) // told
                        tell_back(table, row, table.cell(row - 1, DataRole::time).text);
                } else {
                    if (!table.words.are_profiles) {
                        period = subject.times.back();
                        first = time;
                    }
                    begins_period[row] = true;
                    ++n_anew;
                }
            }
            before = time;
            subject.times.push_back(period + (time - first));
            subject.file_times.push_back(time);
        }
        if (subject.file_times == subject.times) subject.file_times.clear();
    }
    if (n_anew > 0)
        data.notes.push_back(
            fmt::format("time begins anew at {}: {}additional doses still to come end there",
                        counted(n_anew, "reset"),
                        table.words.are_profiles ? "" : "it goes on from the row before, and "));
    return begins_period;
}

} // namespace gemel::pkpd
