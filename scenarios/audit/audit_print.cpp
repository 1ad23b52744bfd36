#include "json_text.hpp"

#include <gemel/io/csv.hpp>
#include <gemel/scenarios/audit.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <ostream>

namespace gemel::scenarios {
namespace {

/// A figure of a group, as all three ways of writing name it.
struct FigureColumn {
    const char* name;   ///< of CSV and JSON
    const char* header; ///< of the table; "": not in it
    std::function<AuditFigure(const GroupAudit&)> of;
    bool is_share = true; ///< else a ratio
};

std::vector<FigureColumn> columns_of(bool has_exposure) {
    std::vector<FigureColumn> columns{
        {"reduced_frequency", "reduced alleles", [](const GroupAudit& g) { return g.reduced; }},
        {"missed_frequency", "", [](const GroupAudit& g) { return g.missed; }},
        {"missed_share", "of them missed", [](const GroupAudit& g) { return g.share; }},
        {"carriers", "people with one missed", [](const GroupAudit& g) { return g.carriers; }},
        {"misread", "phenotype misread", [](const GroupAudit& g) { return g.misread; }},
        {"uncertain_frequency", "", [](const GroupAudit& g) { return g.uncertain; }}};
    if (!has_exposure) return columns;
    columns.push_back(
        {"over_exposed", "exposure > 1.25", [](const GroupAudit& g) { return g.exposure.over; }});
    columns.push_back(
        {"under_exposed", "exposure < 0.8", [](const GroupAudit& g) { return g.exposure.under; }});
    columns.push_back({"ratio_where_misdosed",
                       "ratio where misdosed",
                       [](const GroupAudit& g) { return g.exposure.average; },
                       false});
    columns.push_back(
        {"exposure_unknown", "", [](const GroupAudit& g) { return g.exposure.unknown; }});
    return columns;
}

/// In per cent, small ones with two digits that count.
std::string per_cent(double share) {
    if (std::isnan(share)) return "–";
    if (share == 0.0) return "0";
    if (share < 0.001) return fmt::format("{:.2g}", 100.0 * share);
    return fmt::format("{:.{}f}", 100.0 * share, share < 0.01 ? 2 : 1);
}

std::string share_text(double share) {
    return std::isnan(share) ? "–" : per_cent(share) + " %";
}

std::string figure_text(const AuditFigure& figure, bool is_share) {
    const std::string value = is_share ? share_text(figure.value) : number_text(figure.value);
    if (std::isnan(figure.lower)) return value;
    const auto text = [&](double x) { return is_share ? per_cent(x) : number_text(x); };
    return fmt::format("{} [{} – {}]", value, text(figure.lower), text(figure.upper));
}

std::string with_commas(std::int64_t n) {
    std::string text = std::to_string(n);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

std::string subjects_text(const GroupAudit& group) {
    if (group.most_subjects == 0) return "not known";
    if (group.fewest_subjects == group.most_subjects) return with_commas(group.most_subjects);
    return fmt::format(
        "{} – {}", with_commas(group.fewest_subjects), with_commas(group.most_subjects));
}

std::string missed_text(const GroupAudit& group) {
    std::vector<std::string> alleles;
    for (const MissedAllele& allele : group.main_missed)
        alleles.push_back(fmt::format("{} {}", allele.name, share_text(allele.frequency)));
    return fmt::format("{}", fmt::join(alleles, ", "));
}

std::string table_of(const GeneAudit& gene) {
    const auto columns = columns_of(gene.has_exposure);
    std::vector<std::vector<std::string>> rows{{"group"}};
    for (const FigureColumn& column : columns)
        if (*column.header != 0) rows.front().push_back(column.header);
    rows.front().insert(rows.front().end(), {"tested", "main alleles missed"});
    for (const GroupAudit& group : gene.groups) {
        if (!group.has_frequencies) continue;
        std::vector<std::string>& row = rows.emplace_back();
        row.push_back(group.group);
        for (const FigureColumn& column : columns)
            if (*column.header != 0) row.push_back(figure_text(column.of(group), column.is_share));
        row.push_back(subjects_text(group));
        row.push_back(missed_text(group));
    }
    return text_table(rows, Alignment::left);
}

std::string unknown_groups(const GeneAudit& gene) {
    std::vector<std::string> groups;
    for (const GroupAudit& group : gene.groups)
        if (!group.has_frequencies) groups.push_back(group.group);
    if (groups.empty()) return "";
    return fmt::format("  no frequencies are known in {}: nobody can say whom it misses there\n",
                       fmt::join(groups, ", "));
}

std::string notes_of(const AuditReport& report) {
    std::string text =
        "reduced alleles: of decreased or no function. People, and phenotypes: by Hardy-Weinberg. "
        "tested: the\nfewest and most people tested for one of the alleles; an allele that nobody "
        "looked for is in no figure.\n";
    if (report.settings.n_draws > 0)
        text +=
            fmt::format("[ ]: {:g} % of {} draws of the frequencies from the law that the counts "
                        "leave open, seed {}\n",
                        100.0 * report.settings.level,
                        report.settings.n_draws,
                        report.settings.seed);
    if (!report.settings.map.empty())
        text += fmt::format("exposure: of a dose in proportion to {} of {} for what the panel "
                            "reports, to that\nof one for what is there\n",
                            report.settings.map,
                            report.settings.model->id);
    return text;
}

void write_figures(const std::vector<FigureColumn>& columns,
                   const GroupAudit& group,
                   const std::function<void(const std::string&, double)>& write) {
    for (const FigureColumn& column : columns) {
        const AuditFigure figure = group.has_frequencies ? column.of(group) : AuditFigure{};
        write(column.name, figure.value);
        write(fmt::format("{}_lower", column.name), figure.lower);
        write(fmt::format("{}_upper", column.name), figure.upper);
    }
}

std::vector<FigureColumn> columns_of(const AuditReport& report) {
    bool has_exposure = false;
    for (const GeneAudit& gene : report.genes)
        has_exposure = has_exposure || gene.has_exposure;
    return columns_of(has_exposure);
}

std::vector<std::string> csv_header(const std::vector<FigureColumn>& columns) {
    std::vector<std::string> header{"panel", "gene", "group", "fewest_subjects", "most_subjects"};
    write_figures(
        columns, GroupAudit{}, [&](const std::string& name, double) { header.push_back(name); });
    header.emplace_back("main_missed");
    return header;
}

void write_json_group(const std::vector<FigureColumn>& columns,
                      const GroupAudit& group,
                      std::ostream& out) {
    out << fmt::format("{{\"group\": {}, \"has_frequencies\": {}, \"fewest_subjects\": {}, "
                       "\"most_subjects\": {}",
                       json_text(group.group),
                       group.has_frequencies,
                       group.fewest_subjects,
                       group.most_subjects);
    write_figures(columns, group, [&](const std::string& name, double value) {
        out << ", " << json_text(name) << ": " << json_number(value);
    });
    out << ", \"main_missed\": [";
    for (std::size_t i = 0; i < group.main_missed.size(); ++i)
        out << fmt::format("{}{{\"allele\": {}, \"frequency\": {}, \"subjects\": {}}}",
                           i > 0 ? ", " : "",
                           json_text(group.main_missed[i].name),
                           json_number(group.main_missed[i].frequency),
                           group.main_missed[i].n_subjects);
    out << "]}";
}

} // namespace

std::string render(const AuditReport& report) {
    std::string text;
    for (const GeneAudit& gene : report.genes)
        text += fmt::format("{} by the panel {}: {}\n{}{}\n",
                            gene.gene,
                            gene.panel,
                            fmt::join(gene.tested, ", "),
                            table_of(gene),
                            unknown_groups(gene));
    return text + notes_of(report);
}

void write_csv(const AuditReport& report, std::ostream& out) {
    const auto columns = columns_of(report);
    io::CsvWriter csv(out, csv_header(columns));
    for (const GeneAudit& gene : report.genes)
        for (const GroupAudit& group : gene.groups) {
            for (const std::string& text : {gene.panel, gene.gene, group.group})
                csv.cell(text);
            csv.cell(group.fewest_subjects);
            csv.cell(group.most_subjects);
            write_figures(
                columns, group, [&](const std::string&, double value) { csv.cell(value); });
            csv.cell(missed_text(group));
            csv.end_row();
        }
}

void write_json(const AuditReport& report, std::ostream& out) {
    out << fmt::format("{{\"level\": {}, \"draws\": {}, \"seed\": {},\n\"genes\": [",
                       report.settings.level,
                       report.settings.n_draws,
                       report.settings.seed);
    for (std::size_t g = 0; g < report.genes.size(); ++g) {
        const GeneAudit& gene = report.genes[g];
        out << fmt::format(
            "{}\n{{\"panel\": {}, \"gene\": {}, \"source\": {}, \"frequencies\": {}, "
            "\"groups\": [",
            g > 0 ? "," : "",
            json_text(gene.panel),
            json_text(gene.gene),
            json_text(gene.source),
            json_text(gene.counts_source));
        for (std::size_t i = 0; i < gene.groups.size(); ++i) {
            out << (i > 0 ? ",\n" : "\n");
            write_json_group(columns_of(gene.has_exposure), gene.groups[i], out);
        }
        out << "]}";
    }
    out << "]}\n";
}

} // namespace gemel::scenarios
