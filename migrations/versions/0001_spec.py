"""The schema of the school's existing application, as Prisma creates it on PostgreSQL.

Nothing is improved here, so that a database of that application can be stamped with this revision and the later
ones then bring its rows along. Scholarship, which the specification names without printing it, is the plainest
table that holds its facts.
"""

from alembic import op

revision = "0001_spec"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TYPE "AttendanceSession" AS ENUM ('AM', 'PM', 'FULL');

CREATE TABLE "User" (
    "userId" SERIAL NOT NULL,
    "username" TEXT NOT NULL,
    "password" TEXT NOT NULL,
    "lastname" TEXT NOT NULL,
    "firstname" TEXT NOT NULL,
    "phonenumber1" TEXT,
    "phonenumber2" TEXT,
    "role" TEXT NOT NULL DEFAULT 'teacher',
    "avatar" TEXT,
    "photo" TEXT,
    "position" TEXT,
    "status" TEXT NOT NULL DEFAULT 'active',
    "lastLogin" TIMESTAMP(3),
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "accountLockedUntil" TIMESTAMP(3),
    "failedLoginAttempts" INTEGER NOT NULL DEFAULT 0,
    "lastFailedLogin" TIMESTAMP(3),
    CONSTRAINT "User_pkey" PRIMARY KEY ("userId")
);

CREATE TABLE "Student" (
    "studentId" SERIAL NOT NULL,
    "lastName" TEXT NOT NULL,
    "firstName" TEXT NOT NULL,
    "gender" TEXT NOT NULL,
    "dob" TIMESTAMP(3) NOT NULL,
    "class" TEXT NOT NULL,
    "photo" TEXT,
    "phone" TEXT,
    "registrationDate" TIMESTAMP(3),
    "status" TEXT,
    "religion" TEXT,
    "health" TEXT,
    "emergencyContact" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "classId" INTEGER,
    "needsClothes" BOOLEAN DEFAULT false,
    "needsMaterials" BOOLEAN DEFAULT false,
    "needsTransport" BOOLEAN DEFAULT false,
    "previousSchool" TEXT,
    "registerToStudy" BOOLEAN DEFAULT false,
    "studentBirthDistrict" TEXT,
    "studentDistrict" TEXT,
    "studentHouseNumber" TEXT,
    "studentProvince" TEXT,
    "studentVillage" TEXT,
    "transferReason" TEXT,
    "vaccinated" BOOLEAN DEFAULT false,
    "schoolYear" TEXT,
    "studentCommune" TEXT,
    CONSTRAINT "Student_pkey" PRIMARY KEY ("studentId")
);

CREATE TABLE "Guardian" (
    "guardianId" SERIAL NOT NULL,
    "studentId" INTEGER NOT NULL,
    "relation" TEXT NOT NULL,
    "phone" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "believeJesus" BOOLEAN DEFAULT false,
    "birthDistrict" TEXT,
    "childrenCount" INTEGER,
    "church" TEXT,
    "district" TEXT,
    "firstName" TEXT,
    "houseNumber" TEXT,
    "income" DOUBLE PRECISION,
    "lastName" TEXT,
    "occupation" TEXT,
    "province" TEXT,
    "village" TEXT,
    "commune" TEXT,
    CONSTRAINT "Guardian_pkey" PRIMARY KEY ("guardianId")
);

CREATE TABLE "FamilyInfo" (
    "familyinfoId" SERIAL NOT NULL,
    "studentId" INTEGER NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "canHelpSchool" BOOLEAN DEFAULT false,
    "churchName" TEXT,
    "durationInKPC" TEXT,
    "helpAmount" DOUBLE PRECISION,
    "helpFrequency" TEXT,
    "knowSchool" TEXT,
    "livingCondition" TEXT,
    "livingWith" TEXT,
    "organizationHelp" TEXT,
    "ownHouse" BOOLEAN DEFAULT false,
    "religion" TEXT,
    "povertyCard" TEXT,
    CONSTRAINT "FamilyInfo_pkey" PRIMARY KEY ("familyinfoId")
);

CREATE TABLE "Scholarship" (
    "scholarshipId" SERIAL NOT NULL,
    "studentId" INTEGER NOT NULL,
    "type" TEXT,
    "amount" DOUBLE PRECISION,
    "sponsor" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "Scholarship_pkey" PRIMARY KEY ("scholarshipId")
);

CREATE TABLE "Course" (
    "courseId" SERIAL NOT NULL,
    "schoolYearId" INTEGER NOT NULL,
    "teacherId1" INTEGER,
    "teacherId2" INTEGER,
    "teacherId3" INTEGER,
    "grade" TEXT NOT NULL,
    "section" TEXT NOT NULL,
    "courseName" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "Course_pkey" PRIMARY KEY ("courseId")
);

CREATE TABLE "Subject" (
    "subjectId" SERIAL NOT NULL,
    "subjectName" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "Subject_pkey" PRIMARY KEY ("subjectId")
);

CREATE TABLE "SchoolYear" (
    "schoolYearId" SERIAL NOT NULL,
    "schoolYearCode" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "SchoolYear_pkey" PRIMARY KEY ("schoolYearId")
);

CREATE TABLE "Semester" (
    "semesterId" SERIAL NOT NULL,
    "semester" TEXT NOT NULL,
    "semesterCode" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "Semester_pkey" PRIMARY KEY ("semesterId")
);

CREATE TABLE "Enrollment" (
    "enrollmentId" SERIAL NOT NULL,
    "courseId" INTEGER NOT NULL,
    "studentId" INTEGER NOT NULL,
    "drop" BOOLEAN NOT NULL DEFAULT false,
    "dropSemesterId" INTEGER,
    "dropDate" TIMESTAMP(3),
    "dropReason" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Enrollment_pkey" PRIMARY KEY ("enrollmentId")
);

CREATE TABLE "Grade" (
    "gradeId" SERIAL NOT NULL,
    "courseId" INTEGER NOT NULL,
    "studentId" INTEGER NOT NULL,
    "subjectId" INTEGER NOT NULL,
    "semesterId" INTEGER NOT NULL,
    "gradeDate" TEXT NOT NULL,
    "grade" DOUBLE PRECISION NOT NULL,
    "gradeComment" TEXT,
    "userId" INTEGER,
    "lastEdit" TIMESTAMP(3),
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "Grade_pkey" PRIMARY KEY ("gradeId")
);

CREATE TABLE "Attendance" (
    "studentId" INTEGER NOT NULL,
    "session" "AttendanceSession" NOT NULL,
    "status" TEXT NOT NULL,
    "reason" TEXT,
    "recordedBy" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "attendanceDate" TIMESTAMP(3) NOT NULL,
    "attendanceId" SERIAL NOT NULL,
    "courseId" INTEGER NOT NULL,
    "semesterId" INTEGER,
    "schoolYearId" INTEGER,
    CONSTRAINT "Attendance_pkey" PRIMARY KEY ("attendanceId")
);

CREATE TABLE "ActivityLog" (
    "id" SERIAL NOT NULL,
    "userId" INTEGER NOT NULL,
    "action" TEXT NOT NULL,
    "details" TEXT,
    "timestamp" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "ActivityLog_pkey" PRIMARY KEY ("id")
);
"""

INDEXES = """
CREATE UNIQUE INDEX "User_username_key" ON "User"(username);
CREATE UNIQUE INDEX "FamilyInfo_studentId_key" ON "FamilyInfo"("studentId");
CREATE UNIQUE INDEX "SchoolYear_schoolYearCode_key" ON "SchoolYear"("schoolYearCode");
CREATE UNIQUE INDEX "Semester_semesterCode_key" ON "Semester"("semesterCode");
CREATE UNIQUE INDEX "Enrollment_studentId_courseId_key" ON "Enrollment"("studentId", "courseId");

CREATE INDEX idx_user_role ON "User"(role);
CREATE INDEX idx_user_status ON "User"(status);
CREATE INDEX idx_user_created_at ON "User"("createdAt");

CREATE INDEX idx_course_schoolyear_grade_section ON "Course"("schoolYearId", grade, section);
CREATE INDEX idx_course_teacher1 ON "Course"("teacherId1");
CREATE INDEX idx_course_teacher2 ON "Course"("teacherId2");
CREATE INDEX idx_course_teacher3 ON "Course"("teacherId3");

CREATE INDEX idx_grade_student_course ON "Grade"("studentId", "courseId");
CREATE INDEX idx_grade_date ON "Grade"("gradeDate");
CREATE INDEX idx_grade_course_student_subject ON "Grade"("courseId", "studentId", "subjectId");

CREATE INDEX idx_enrollment_student_course ON "Enrollment"("studentId", "courseId");
CREATE INDEX idx_enrollment_drop ON "Enrollment"(drop);
CREATE INDEX idx_enrollment_drop_date ON "Enrollment"("dropDate");
CREATE INDEX idx_enrollment_drop_semester ON "Enrollment"("dropSemesterId");

CREATE INDEX idx_attendance_student_date ON "Attendance"("studentId", "attendanceDate");
CREATE INDEX idx_attendance_course_date ON "Attendance"("courseId", "attendanceDate");
CREATE INDEX idx_attendance_semester ON "Attendance"("semesterId");
CREATE INDEX idx_attendance_school_year ON "Attendance"("schoolYearId");
"""

# Child, column, parent, and what deleting the parent does: an optional link is emptied, a required one holds fast.
LINKS = (
    ("Guardian", "studentId", "Student", "RESTRICT"),
    ("FamilyInfo", "studentId", "Student", "RESTRICT"),
    ("Scholarship", "studentId", "Student", "RESTRICT"),
    ("Course", "schoolYearId", "SchoolYear", "RESTRICT"),
    ("Course", "teacherId1", "User", "SET NULL"),
    ("Course", "teacherId2", "User", "SET NULL"),
    ("Course", "teacherId3", "User", "SET NULL"),
    ("Enrollment", "courseId", "Course", "RESTRICT"),
    ("Enrollment", "studentId", "Student", "RESTRICT"),
    ("Enrollment", "dropSemesterId", "Semester", "SET NULL"),
    ("Grade", "courseId", "Course", "RESTRICT"),
    ("Grade", "semesterId", "Semester", "RESTRICT"),
    ("Grade", "studentId", "Student", "RESTRICT"),
    ("Grade", "subjectId", "Subject", "RESTRICT"),
    ("Grade", "userId", "User", "SET NULL"),
    ("Attendance", "courseId", "Course", "RESTRICT"),
    ("Attendance", "schoolYearId", "SchoolYear", "SET NULL"),
    ("Attendance", "semesterId", "Semester", "SET NULL"),
    ("Attendance", "studentId", "Student", "RESTRICT"),
    ("ActivityLog", "userId", "User", "RESTRICT"),
)

KEYS = {
    "User": "userId",
    "Student": "studentId",
    "Course": "courseId",
    "Subject": "subjectId",
    "SchoolYear": "schoolYearId",
    "Semester": "semesterId",
}


def upgrade() -> None:
    """Create tables, indexes and foreign keys under their names in the specification."""
    op.execute(TABLES)
    op.execute(INDEXES)
    for child, column, parent, on_delete in LINKS:
        op.create_foreign_key(
            f"{child}_{column}_fkey", child, parent, [column], [KEYS[parent]], ondelete=on_delete, onupdate="CASCADE"
        )


def downgrade() -> None:
    """Leave nothing behind, not even the enum."""
    for child in ("Guardian", "FamilyInfo", "Scholarship", "Grade", "Attendance", "Enrollment", "ActivityLog"):
        op.drop_table(child)
    for parent in ("Course", "SchoolYear", "Semester", "Subject", "Student", "User"):
        op.drop_table(parent)
    op.execute('DROP TYPE "AttendanceSession"')
