"""What lists are read by: copies of an interview's department and position beside its time, and
beside each entry of its history and each look at its candidate.

A list of a million interviews stays quick only where one index holds whose they are and in which
order they stand, and no index reaches across tables. PostgreSQL keeps the copies itself, whoever
writes: services, an import's COPY, a hand at the console.
"""

import pgtrigger

ON_INTERVIEW = pgtrigger.Trigger(
    name="listed_under",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert
    | pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
        "application_id", "listed_department", "listed_position"
    ),
    func="""
        SELECT position.department_id, position.id
        INTO NEW.listed_department, NEW.listed_position
        FROM interviews_application application
        JOIN interviews_position position ON position.id = application.position_id
        WHERE application.id = NEW.application_id;
        RETURN NEW;
    """,
)

# Nobody adds an interview while its position moves: the copy would be of where it was before. Nor
# does anybody hold one, since they would wait for the table and the table for them: who has locked
# a row to change it is let through first, which a weaker lock does not do.
ON_POSITION = pgtrigger.Trigger(
    name="moves_its_interviews",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("department_id"),  # type: ignore[no-untyped-call]
    condition=pgtrigger.Q(old__department_id__df=pgtrigger.F("new__department_id")),
    func="""
        LOCK TABLE interviews_interview IN EXCLUSIVE MODE;
        UPDATE interviews_interview SET listed_department = NEW.department_id
        WHERE listed_position = NEW.id;
        RETURN NULL;
    """,
)

ON_APPLICATION = pgtrigger.Trigger(
    name="moves_its_interviews",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("position_id"),  # type: ignore[no-untyped-call]
    condition=pgtrigger.Q(old__position_id__df=pgtrigger.F("new__position_id")),
    func="""
        UPDATE interviews_interview SET listed_position = NEW.position_id
        WHERE application_id = NEW.id;
        RETURN NULL;
    """,
)

ON_ENTRY = pgtrigger.Trigger(
    name="listed_under",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    func="""
        SELECT interview.listed_department, interview.listed_position, interview.source,
            NEW.actor = 'user:' || candidate.user_id
        INTO NEW.listed_department, NEW.listed_position, NEW.listed_source, NEW.by_candidate
        FROM interviews_interview interview
        JOIN interviews_application application ON application.id = interview.application_id
        JOIN candidates_candidate candidate ON candidate.id = application.candidate_id
        WHERE interview.id = NEW.interview_id;
        RETURN NEW;
    """,
)

# What happened to an interview is listed where the interview is, and what is still to be done about
# it is the work of that department.
ON_LISTED_ELSEWHERE = pgtrigger.Trigger(
    name="moves_its_history",
    when=pgtrigger.After,
    operation=pgtrigger.Update,
    condition=pgtrigger.Q(old__listed_department__df=pgtrigger.F("new__listed_department"))
    | pgtrigger.Q(old__listed_position__df=pgtrigger.F("new__listed_position")),
    func="""
        UPDATE interviews_historyentry
        SET listed_department = NEW.listed_department, listed_position = NEW.listed_position
        WHERE interview_id = NEW.id;
        UPDATE notifications_workitem SET audience = 'department:' || NEW.listed_department
        WHERE subject = 'interview:' || NEW.reference AND closed_at IS NULL
            AND audience = 'department:' || OLD.listed_department;
        RETURN NULL;
    """,
)

ON_ACCESS = pgtrigger.Trigger(
    name="listed_under",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    condition=pgtrigger.Q(new__subject__startswith="interview:"),
    func="""
        SELECT interview.listed_department INTO NEW.listed_department
        FROM interviews_interview interview
        WHERE interview.reference = substr(NEW.subject, 11);
        RETURN NEW;
    """,
)

# Who looked at whom is told to those the interview is listed for now.
ON_LOOKED_AT_ELSEWHERE = pgtrigger.Trigger(
    name="moves_its_accesses",
    when=pgtrigger.After,
    operation=pgtrigger.Update,
    condition=pgtrigger.Q(old__listed_department__df=pgtrigger.F("new__listed_department")),
    func="""
        UPDATE interviews_accesslog SET listed_department = NEW.listed_department
        WHERE subject = 'interview:' || NEW.reference;
        RETURN NULL;
    """,
)

# The entry that tells of an import goes only where the whole of it stands among the removed ones,
# and only while it is all the interview's history.
MOVED_NOT_LOST = pgtrigger.Trigger(
    name="append_only",
    when=pgtrigger.Before,
    operation=pgtrigger.Delete,
    func="""
        IF OLD.event = 'imported' AND EXISTS (
            SELECT 1 FROM interviews_removedinterview removed
            JOIN interviews_interview interview ON interview.reference = removed.reference
            WHERE removed.entry = OLD.id AND interview.id = OLD.interview_id
                AND (removed.event, removed.actor, removed.at, removed.data, removed.hash)
                    = (OLD.event, OLD.actor, OLD.at, OLD.data, OLD.hash)
        ) AND NOT EXISTS (
            SELECT 1 FROM interviews_historyentry other
            WHERE other.interview_id = OLD.interview_id AND other.id <> OLD.id
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;
    """,
)
