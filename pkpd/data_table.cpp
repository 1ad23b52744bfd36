#include "data_reading.hpp"
#include "table_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

/// The file as cells: how it is opened, and how cells become numbers.
namespace gemel::pkpd {
namespace {

constexpr std::size_t most_told = 10;

char lower_case(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// "01" and "1.0" → "1", whatever its length; other texts stay.
std::string plain_number(const std::string& text) {
    const auto end = std::min(text.find('.'), text.size());
    if (text.find_first_not_of("0123456789") != text.find('.') ||
        text.find_first_not_of('0', std::min(end + 1, text.size())) != std::string::npos)
        return text;
    const auto begin = text.find_first_not_of('0');
    return begin >= end ? "0" : text.substr(begin, end - begin);
}

std::string help_for_no_number(const DataWords& words, const std::string& text) {
    if (text.starts_with('<') || text.starts_with("BLQ") || text.starts_with("BQL") ||
        text.starts_with("BLOQ"))
        return "a value below the limit of quantification has 1 in a column CENS, and the limit in "
               "DV or in a column LLOQ";
    if (text.find(',') != std::string::npos)
        return "numbers are written as 1234.5; with decimal commas the columns are separated by "
               "semicolons";
    if (text.find(':') != std::string::npos)
        return "for times of day write " + how_to_set(words, "clock = true", "--clock");
    return "write a number; '.' where there is none, or name the word " +
           std::string(words.are_profiles ? "by --missing" : "in missing = [ … ]");
}

std::string suggest_file(const std::filesystem::path& path) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), error))
        names.push_back(entry.path().filename().string());
    const std::string near = sim::nearest_name(path.filename().string(), names);
    return near.empty() ? near : fmt::format("did you mean '{}'?", near);
}

/// The two bytes of a letter begin or end with 0, whether the file says so or not.
bool is_utf16(const std::string& text) {
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return true;
    const std::string first = text.substr(0, 200);
    return first.size() > 2 &&
           std::ranges::count(first, '\0') >= static_cast<std::ptrdiff_t>(first.size() / 3);
}

/// The byte 0 stands in no text, and would end a message in its middle.
void tell_zero_byte(const sim::SourceFile& file, sim::DiagnosticList& diagnostics) {
    const std::string_view before = std::string_view(file.text).substr(0, file.text.find('\0'));
    const auto line = before.substr(before.rfind('\n') + 1); // 0 where there is none
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; };
    auto shown = std::make_shared<sim::SourceFile>(file);
    for (auto at = before.size(); at != std::string::npos; at = shown->text.find('\0', at))
        shown->text.replace(at, 1, "\xEF\xBF\xBD"); // the sign for what is no character
    diagnostics.add({shown,
                     1 + static_cast<int>(std::ranges::count(before, '\n')),
                     1 + static_cast<int>(std::ranges::count_if(line, begins)),
                     1},
                    "a byte 0 stands here: the file is damaged, or no text",
                    "write the file anew as CSV with the encoding UTF-8");
}

bool has_lines(const std::shared_ptr<const sim::SourceFile>& file,
               sim::DiagnosticList& diagnostics) {
    const std::string& text = file->text;
    if (text.starts_with("PK\x03\x04")) {
        diagnostics.add({file, 0, 0, 1},
                        "this is a workbook of a spreadsheet and no text",
                        "save the sheet as CSV");
        return false;
    }
    if (is_utf16(text)) {
        diagnostics.add({file, 0, 0, 1},
                        "the encoding of this file is UTF-16",
                        "save it as CSV with the encoding UTF-8, which spreadsheets call \"CSV "
                        "UTF-8\"");
        return false;
    }
    if (text.find('\0') != std::string::npos) {
        tell_zero_byte(*file, diagnostics);
        return false;
    }
    const bool is_old =
        text.find('\r') != std::string::npos && text.find('\n') == std::string::npos;
    if (is_old)
        diagnostics.add({file, 0, 0, 1},
                        "the lines of this file end with CR alone",
                        "save it as CSV with the line ends of Unix or Windows");
    return !is_old;
}

bool has_columns(const io::CsvTable& csv, sim::DiagnosticList& diagnostics) {
    const io::CsvCell& first = csv.header.front();
    if (csv.header.size() > 1) return true;
    diagnostics.add(first.span,
                    "the header is a single cell",
                    "columns are separated by commas, semicolons, tabs or blanks");
    return false;
}

/// What stands above the data and how columns are separated.
struct Beginning {
    int n_lines = 0; ///< before the header
    char separator = ',';
    std::size_t n_comments = 0;
    bool names_separator = false; ///< by a line sep=;
    bool is_marked = false;       ///< the header begins with #
};

char separator_of(std::string_view line) {
    const char separator = io::detect_separator(line);
    const bool has_none = line.find(separator) == std::string_view::npos;
    return has_none && line.find(' ') != std::string_view::npos ? ' ' : separator;
}

/// "# ID,TIME,AMT" above rows of three cells is a header, as NONMEM's users write it; other lines
/// with # are comments.
bool is_marked_header(std::string_view line, std::string_view next) {
    const char separator = io::detect_separator(line);
    const auto n = std::ranges::count(line, separator);
    return n > 0 && n == std::ranges::count(next, separator) && !next.starts_with('#');
}

Beginning beginning_of(std::string_view text, bool has_header) {
    Beginning begins;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const auto line = [&] { return text.substr(0, text.find('\n')); };
    const auto go_on = [&] {
        text.remove_prefix(std::min(line().size() + 1, text.size()));
        ++begins.n_lines;
    };
    if (const std::string_view first = line();
        first.size() >= 5 && is_same_name(std::string(first.substr(0, 4)), "sep=")) {
        begins.separator = first[4];
        begins.names_separator = true;
        go_on();
    }
    while (!text.empty() &&
           (text.front() == '#' || line().find_first_not_of('\r') == line().npos)) {
        const std::string_view here = line(),
                               rest = text.substr(std::min(here.size() + 1, text.size()));
        begins.is_marked = has_header && here.starts_with('#') &&
                           is_marked_header(here, rest.substr(0, rest.find('\n')));
        if (begins.is_marked) break;
        begins.n_comments += here.starts_with('#') ? 1 : 0;
        go_on();
    }
    if (!begins.names_separator) begins.separator = separator_of(line());
    return begins;
}

bool is_number_or_missing(const DataWords& words, const io::CsvCell& cell) {
    return number_in(cell.text) ||
           std::ranges::find(words.missing, cell.text) != words.missing.end();
}

/// NONMEM's own files have no header.
bool has_header(const DataWords& words, const io::CsvTable& csv, sim::DiagnosticList& diagnostics) {
    const bool has_names = std::ranges::any_of(
        csv.header, [&](const io::CsvCell& cell) { return !is_number_or_missing(words, cell); });
    if (has_names || csv.header.empty() || !words.header.empty()) return true;
    diagnostics.add(csv.header.front().span,
                    "the first row has numbers where the names of the columns are expected",
                    words.are_profiles
                        ? "write a row above it with the names of the columns"
                        : "name the columns in [data], as in header = [\"ID\", \"TIME\", \"AMT\", "
                          "\"DV\"], or in a row above");
    return false;
}

/// The header that `[data]` gives stands there, for messages.
std::vector<io::CsvCell> given_header(const DataWords& words) {
    std::vector<io::CsvCell> header;
    for (const std::string& name : words.header)
        header.push_back({name, words.header_span});
    return header;
}

/// "#ID" and "# ID" → "ID".
void unmark(io::CsvCell& cell) {
    const auto at = cell.text.find_first_not_of("# ");
    cell.text.erase(0, std::min(at, cell.text.size()));
}

void note_beginning(const Beginning& begins, std::vector<std::string>& notes) {
    if (begins.names_separator) notes.push_back("the first line names the separator");
    if (begins.n_comments > 0)
        notes.push_back(fmt::format("{} beginning with '#' above the data {} left out",
                                    counted(begins.n_comments, "line"),
                                    begins.n_comments == 1 ? "is" : "are"));
    if (begins.is_marked) notes.push_back("the header begins with '#', which is no part of a name");
    if (begins.separator != ',')
        notes.push_back(fmt::format("columns are separated by {}",
                                    begins.separator == ';'    ? "semicolons"
                                    : begins.separator == '\t' ? "tabs"
                                    : begins.separator == ' '
                                        ? "blanks"
                                        : fmt::format("'{}'", begins.separator)));
}

/// Spreadsheets leave rows of separators below the data.
std::size_t drop_empty_rows(io::CsvTable& csv) {
    return std::erase_if(csv.rows, [](const std::vector<io::CsvCell>& row) {
        return std::ranges::all_of(row, [](const io::CsvCell& cell) { return cell.text.empty(); });
    });
}

} // namespace

void DataMistakes::add(const std::string& kind,
                       const sim::SourceSpan& span,
                       const std::string& message,
                       const std::string& help) {
    if (!told_.emplace(kind, span.line, span.column).second) return;
    Rest& rest = kinds_[kind];
    if (++rest.n <= most_told)
        diagnostics_.add(span, message, help);
    else if (rest.n == most_told + 1)
        rest.first = span;
}

void DataMistakes::add_rest() {
    for (const auto& [kind, rest] : kinds_)
        if (rest.n > most_told)
            diagnostics_.add(rest.first,
                             fmt::format("this mistake stands in {}, of which this is the first",
                                         counted(rest.n - most_told, "further place")));
}

void NotedRows::add(int line, const std::string& text) {
    if (n++ > 0) return;
    first_line = line;
    first_text = text;
}

std::string NotedRows::where() const {
    return fmt::format(" ({}line {})", n == 1 ? "" : "the first is ", first_line);
}

bool is_code_for_missing(double number) {
    return number == -99.0 || number == -999.0 || number == -9999.0 || number == -99999.0;
}

std::string how_to_say_missing(const DataWords& words, const std::string& text) {
    return words.are_profiles
               ? fmt::format("if that stands for a missing value, write --missing {}", text)
               : fmt::format("if that stands for a missing value, write missing = [\".\", \"NA\", "
                             "\"\", \"{}\"] in [data]",
                             text);
}

std::string counted(std::size_t n, const std::string& what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

bool is_same_name(const std::string& a, const std::string& b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower_case(x) == lower_case(y); });
}

std::optional<OpenedData> open_data(const DataWords& words, sim::DiagnosticList& diagnostics) {
    OpenedData opened;
    opened.path = words.folder / words.file;
    std::error_code error;
    if (!words.are_profiles && !std::filesystem::is_regular_file(opened.path, error)) {
        diagnostics.add(words.file_span,
                        fmt::format("there is no file '{}' beside this one", words.file),
                        suggest_file(opened.path));
        return std::nullopt;
    }
    const auto source = io::read_source(opened.path, diagnostics);
    if (!source) return std::nullopt;
    if (!has_lines(source, diagnostics)) return std::nullopt;
    const Beginning begins = beginning_of(source->text, words.header.empty());
    opened.separator = begins.separator;
    sim::DiagnosticList of_cells;
    opened.csv = io::parse_csv(
        source, of_cells, {begins.separator, words.ignore, begins.n_lines, given_header(words)});
    if (begins.is_marked && !opened.csv.header.empty()) unmark(opened.csv.header.front());
    if (!has_header(words, opened.csv, diagnostics)) return std::nullopt;
    diagnostics.append(of_cells); // without a header they would speak of names
    if (opened.csv.header.empty() || !has_columns(opened.csv, diagnostics)) return std::nullopt;
    note_beginning(begins, opened.notes);
    opened.n_empty = drop_empty_rows(opened.csv);
    opened.n_ignored = opened.csv.n_ignored;
    return opened;
}

bool DataTable::is_missing(const io::CsvCell& cell) const {
    return std::ranges::find(words.missing, cell.text) != words.missing.end();
}

/// Where commas separate columns a comma is no decimal one. Elsewhere one kind of decimal mark is
/// the whole file's: 1.234 beside 1,5 might be a thousand.
std::optional<double> DataTable::number(const io::CsvCell& cell, const std::string& column) {
    if (is_missing(cell)) return std::nullopt;
    std::string text = cell.text;
    const auto comma = text.find(',');
    const bool has_point = text.find('.') != std::string::npos;
    const bool has_comma = separator_ != ',' && comma != std::string::npos && !has_point;
    if (has_comma) text[comma] = '.';
    const std::optional<double> value = number_in(text);
    if (!value) {
        mistakes.add("number " + column,
                     cell.span,
                     fmt::format("'{}' is no number, in the column '{}'", cell.text, column),
                     help_for_no_number(words, cell.text));
        return std::nullopt;
    }
    if ((has_comma || has_point) && first_mark_ == nullptr) {
        first_mark_ = &cell;
        has_decimal_comma_ = has_comma;
    }
    if ((has_comma && !has_decimal_comma_) || (has_point && has_decimal_comma_)) {
        const io::CsvCell& other = *first_mark_;
        mistakes.add("decimal marks",
                     cell.span,
                     fmt::format("'{}' has a decimal {}, but '{}' on line {} a {}",
                                 cell.text,
                                 has_comma ? "comma" : "point",
                                 other.text,
                                 other.span.line,
                                 has_comma ? "point" : "comma"),
                     "write all numbers of a file alike");
    }
    return value;
}

std::optional<double> DataTable::number(std::size_t row, DataRole role) {
    if (!has(role)) return std::nullopt;
    return number(cell(row, role), column(role).header);
}

std::optional<int> DataTable::whole(std::size_t row, DataRole role) {
    if (is_missing(row, role)) return 0;
    const std::optional<double> value = number(row, role);
    if (!value) return std::nullopt;
    constexpr double largest = 999999999.0;
    if (*value == std::floor(*value))
        return static_cast<int>(std::clamp(*value, -largest, largest));
    mistakes.add("whole " + name(role),
                 cell(row, role).span,
                 fmt::format("{} is {}; a whole number is expected",
                             column(role).header,
                             cell(row, role).text));
    return std::nullopt;
}

std::vector<std::string> DataTable::owner(std::size_t row) const {
    std::vector<std::string> texts;
    for (const int group : groups_)
        texts.push_back(cell(row, group).text);
    texts.push_back(id(row));
    return texts;
}

void DataTable::find_kind_of_ids() {
    are_ids_numbers_ = has(DataRole::id);
    for (std::size_t row = 0; are_ids_numbers_ && row < n_rows(); ++row)
        are_ids_numbers_ = is_missing(row, DataRole::id) || number_in(id(row)).has_value();
}

std::vector<std::string> DataTable::owner_key(std::size_t row) const {
    std::vector<std::string> texts = owner(row);
    if (are_ids_numbers_) texts.back() = plain_number(texts.back());
    return texts;
}

void DataTable::gather() {
    std::map<std::vector<std::string>, std::size_t> numbers;
    std::vector<std::vector<const std::vector<io::CsvCell>*>> of;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
        const auto [at, is_new] = numbers.try_emplace(owner_key(row), of.size());
        if (is_new) of.emplace_back();
        of[at->second].push_back(rows_[row]);
    }
    rows_.clear();
    for (const auto& rows : of)
        rows_.insert(rows_.end(), rows.begin(), rows.end());
}

const sim::SourceSpan& DataTable::place(std::size_t row, DataRole role) const {
    return has(role) ? cell(row, role).span : rows_[row]->front().span;
}

const io::CsvCell& DataTable::header(DataRole role) const {
    return csv_.header[static_cast<std::size_t>(column(role).at)];
}

} // namespace gemel::pkpd
